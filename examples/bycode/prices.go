package main

import (
	"encoding/csv"
	"math"
	"os"
	"strconv"

	"github.com/foldstream/foldstream"
)

// prices are closes by session and stock.
type prices struct {
	sessions []foldstream.Time
	stocks   []string
	closes   [][]float64
}

// readPrices reads a CSV file of a date and a column for each stock.
func readPrices(path string) (*prices, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, err
	}
	p := &prices{stocks: rows[0][1:]}
	for _, row := range rows[1:] {
		day, err := foldstream.ParseTime(row[0])
		if err != nil {
			return nil, err
		}
		closes := make([]float64, len(p.stocks))
		for i, text := range row[1:] {
			if closes[i], err = strconv.ParseFloat(text, 64); err != nil {
				return nil, err
			}
		}
		p.sessions, p.closes = append(p.sessions, day), append(p.closes, closes)
	}
	return p, nil
}

// rises returns a row for each session of the period and stock: its score is the stock's rise over the last n sessions, its
// label and return what it made from the next close to the one after.
func (p *prices) rises(period foldstream.Segment, n int) foldstream.Frame {
	f := foldstream.Frame{Columns: []foldstream.Column{{Name: "score"}, {Name: "label"}, {Name: "return"}}}
	for i, day := range p.sessions {
		if i < n || day.Before(period.Start) || !period.End.IsOpen() && day.After(period.End) {
			continue
		}
		for j, stock := range p.stocks {
			next := p.rise(i+1, i+2, j)
			f.Times, f.Instruments = append(f.Times, day), append(f.Instruments, stock)
			for c, v := range []float64{p.rise(i-n, i, j), next, next} {
				f.Columns[c].Values = append(f.Columns[c].Values, v)
			}
		}
	}
	return f
}

// rise is the return of a stock from one session's close to another's, NaN beyond the data.
func (p *prices) rise(from, to, stock int) float64 {
	if to >= len(p.closes) {
		return math.NaN()
	}
	return p.closes[to][stock]/p.closes[from][stock] - 1
}
