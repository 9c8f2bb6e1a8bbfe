package calendar_test

import (
	"errors"
	"fmt"
	"strings"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
)

// week is a calendar with a holiday on Wednesday the 10th.
func week() *calendar.Calendar {
	c, err := calendar.Parse(strings.NewReader("2021-03-08\n2021-03-09\n2021-03-11\n2021-03-12\n2021-03-15\n"))
	if err != nil {
		panic(err)
	}
	return c
}

func Example() {
	c := week()
	holiday := foldstream.DateOf(2021, 3, 10)

	next, _ := c.Align(holiday, calendar.Start)
	last, _ := c.Align(holiday, calendar.End)
	fmt.Println(last, next)

	_, err := c.Align(foldstream.DateOf(2021, 3, 16), calendar.Start)
	fmt.Println(errors.Is(err, calendar.ErrOutOfCalendar))
	fmt.Println(err)
	// Output:
	// 2021-03-09 2021-03-11
	// true
	// calendar: 2021-03-16 is out of the calendar: no session at or after it, the last is 2021-03-15
}

func ExampleCalendar_Shift() {
	c := week()
	test := foldstream.Segment{Start: foldstream.DateOf(2021, 3, 9), End: foldstream.DateOf(2021, 3, 11)}

	slid, _ := c.Shift(test, 2, calendar.Sliding)
	fmt.Println(slid.Start, slid.End)

	open, _ := c.Shift(test, 3, calendar.Sliding)
	fmt.Println(open.Start, open.End.IsOpen())
	// Output:
	// 2021-03-12 2021-03-15
	// 2021-03-15 true
}

func ExampleCalendar_Truncate() {
	c := week()
	train := foldstream.Segment{Start: foldstream.DateOf(2021, 3, 8), End: foldstream.DateOf(2021, 3, 12)}

	// Keep two sessions between the end of the training and the test of the 15th.
	cut, _ := c.Truncate(train, foldstream.DateOf(2021, 3, 15), 2)
	fmt.Println(cut.Start, cut.End)
	// Output:
	// 2021-03-08 2021-03-11
}

func ExampleCalendar_WithNow() {
	c, _ := week().WithNow(foldstream.DateOf(2021, 3, 10))
	fmt.Println(c.Now(), c.Last(), c.Current().Len(), c.Len())
	fmt.Println(c.Version() == week().Version())
	// Output:
	// 2021-03-09 2021-03-15 2 5
	// true
}

func ExampleReadCSV() {
	c, _ := calendar.ReadCSV(strings.NewReader("date,AA,AXP\n1990-12-31,5.92,4.7\n1991-01-02,5.92,4.7\n"), "date")
	fmt.Println(c.First(), c.Last(), c.Len())

	_, err := calendar.ReadCSV(strings.NewReader("date,AA\n1991-01-02,5.92\n1990-12-31,5.92\n"), "date")
	fmt.Println(err)
	// Output:
	// 1990-12-31 1991-01-02 2
	// calendar: column "date": line 3: 1990-12-31 comes after 1991-01-02: sessions must ascend
}

func ExampleExchange() {
	e, _ := calendar.ExchangeOf("XNYS")
	week := foldstream.Segment{Start: foldstream.DateOf(2025, 1, 6), End: foldstream.DateOf(2025, 1, 10)}

	c, _ := e.Calendar(week)
	fmt.Println(c.Sessions())
	for _, closure := range e.Closures(week) {
		fmt.Println(closure.Day, closure.Why)
	}
	fmt.Println(e.Announced, e.Projected(foldstream.DateOf(2030, 1, 2)))
	// Output:
	// [2025-01-06 2025-01-07 2025-01-08 2025-01-10]
	// 2025-01-09 mourning for President Carter
	// 2028-12-31 true
}
