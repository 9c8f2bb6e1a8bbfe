package calendar

import (
	"time"

	"github.com/foldstream/foldstream"
)

// shanghai is the Shanghai Stock Exchange by its announcements: there is no rule, as each year's holidays are laid together
// anew. The weekends on which the country works to make up for them are no sessions. Each year's source stands beside it:
//
//   - SSE: the exchange's notice of the year's closures (休市安排的通知), as it was reprinted at the place named; SZSE: Shenzhen's,
//     which has the same days.
//   - SC: the State Council's notice of the year's holidays (国务院办公厅关于部分节假日安排的通知), whose number is that of its page
//     in gov.cn/zhengce/zhengceku. The exchange closes on the weekdays that it gives; in the years with both notices that
//     holds but for 9 February 2024.
//
// All years were compared with the sessions in the Python package exchange_calendars 4.13: no difference.
func shanghai() Exchange {
	return Exchange{
		Code: "XSHG", Name: "Shanghai Stock Exchange",
		First: foldstream.DateOf(2007, 1, 1), Announced: foldstream.DateOf(2026, 12, 31), Last: foldstream.DateOf(2026, 12, 31),
		closed: shanghaiClosed,
	}
}

const (
	newYear   = "New Year's Day"
	spring    = "Spring Festival"
	qingming  = "Qingming Festival"
	labour    = "Labour Day"
	dragon    = "Dragon Boat Festival"
	midAutumn = "Mid-Autumn Festival"
	national  = "National Day"
	autumns   = "Mid-Autumn Festival and National Day"
	victory   = "70 years of victory in the war"
)

// run is weekdays that are closed for one holiday, from a month and day to another.
type run struct {
	fromMonth time.Month
	fromDay   int
	toMonth   time.Month
	toDay     int
	why       string
}

func shanghaiClosed(year int) []Closure {
	var days []Closure
	for _, r := range shanghaiRuns[year] {
		for day := date(year, r.fromMonth, r.fromDay); !day.After(date(year, r.toMonth, r.toDay)); day = day.AddDate(0, 0, 1) {
			if weekday(day) {
				days = append(days, Closure{foldstream.TimeOf(day), r.why})
			}
		}
	}
	return days
}

// shanghaiRuns is the announced closures by year, weekends left out.
var shanghaiRuns = map[int][]run{
	2007: { // SSE of 2006-12-21, Shanghai Securities News of 2006-12-22; SC 2008-03-28/1761; 31 December: SC 2008-03-28/1645
		{1, 1, 1, 3, newYear}, {2, 19, 2, 23, spring}, {5, 1, 5, 7, labour}, {10, 1, 10, 5, national}, {12, 31, 12, 31, newYear}},
	2008: { // SC 2008-03-28/1645; SSE's for National Day, dlnp.com.cn of 2008-09-19
		{1, 1, 1, 1, newYear}, {2, 6, 2, 12, spring}, {4, 4, 4, 4, qingming}, {5, 1, 5, 2, labour}, {6, 9, 6, 9, dragon},
		{9, 15, 9, 15, midAutumn}, {9, 29, 10, 3, national}},
	2009: { // SSE 上证交字〔2008〕22号, sohu.com of 2009-04-01; SC 2008-12-10/1572
		{1, 1, 1, 2, newYear}, {1, 26, 1, 30, spring}, {4, 6, 4, 6, qingming}, {5, 1, 5, 1, labour}, {5, 28, 5, 29, dragon},
		{10, 1, 10, 8, autumns}},
	2010: { // SC 2009-12-08/1476
		{1, 1, 1, 1, newYear}, {2, 15, 2, 19, spring}, {4, 5, 4, 5, qingming}, {5, 3, 5, 3, labour}, {6, 14, 6, 16, dragon},
		{9, 22, 9, 24, midAutumn}, {10, 1, 10, 7, national}},
	2011: { // SC 2010-12-10/1423
		{1, 3, 1, 3, newYear}, {2, 2, 2, 8, spring}, {4, 4, 4, 5, qingming}, {5, 2, 5, 2, labour}, {6, 6, 6, 6, dragon},
		{9, 12, 9, 12, midAutumn}, {10, 3, 10, 7, national}},
	2012: { // SC 2011-12-06/1411
		{1, 2, 1, 3, newYear}, {1, 23, 1, 27, spring}, {4, 2, 4, 4, qingming}, {4, 30, 5, 1, labour}, {6, 22, 6, 22, dragon},
		{10, 1, 10, 5, autumns}},
	2013: { // SSE and SZSE of 2012-12-25 after 证监办发〔2012〕116号, cofool.com of 2013-04-01; SC 2012-12-10/1353
		{1, 1, 1, 3, newYear}, {2, 11, 2, 15, spring}, {4, 4, 4, 5, qingming}, {4, 29, 5, 1, labour}, {6, 10, 6, 12, dragon},
		{9, 19, 9, 20, midAutumn}, {10, 1, 10, 7, national}},
	2014: { // SC 2014-01-02/1194
		{1, 1, 1, 1, newYear}, {1, 31, 2, 6, spring}, {4, 7, 4, 7, qingming}, {5, 1, 5, 2, labour}, {6, 2, 6, 2, dragon},
		{9, 8, 9, 8, midAutumn}, {10, 1, 10, 7, national}},
	2015: { // SSE after 证监办发〔2014〕105号, 3158.cn of 2015-08-28; SC 2014-12-16/9302; September: SC 2015-05-13/9742
		{1, 1, 1, 2, newYear}, {2, 18, 2, 24, spring}, {4, 6, 4, 6, qingming}, {5, 1, 5, 1, labour}, {6, 22, 6, 22, dragon},
		{9, 3, 9, 4, victory}, {10, 1, 10, 7, national}},
	2016: { // SSE 上证公告〔2015〕36号, htsec.com of 2016-01-08; SC 2015-12-10/10394
		{1, 1, 1, 1, newYear}, {2, 8, 2, 12, spring}, {4, 4, 4, 4, qingming}, {5, 2, 5, 2, labour}, {6, 9, 6, 10, dragon},
		{9, 15, 9, 16, midAutumn}, {10, 3, 10, 7, national}},
	2017: { // SSE after 证监办发〔2016〕111号, dyhjw.com of 2016-12-23; SC 2016-12-01/5141603
		{1, 2, 1, 2, newYear}, {1, 27, 2, 2, spring}, {4, 3, 4, 4, qingming}, {5, 1, 5, 1, labour}, {5, 29, 5, 30, dragon},
		{10, 2, 10, 6, autumns}},
	2018: { // SZSE after 证监办发〔2017〕84号, xuewengu.com; SC 2017-11-30/5243579; 31 December: SC 2018-12-06/5346276
		{1, 1, 1, 1, newYear}, {2, 15, 2, 21, spring}, {4, 5, 4, 6, qingming}, {4, 30, 5, 1, labour}, {6, 18, 6, 18, dragon},
		{9, 24, 9, 24, midAutumn}, {10, 1, 10, 5, national}, {12, 31, 12, 31, newYear}},
	2019: { // SC 2018-12-06/5346276; Labour Day made longer: SC 2019-03-22/5375877
		{1, 1, 1, 1, newYear}, {2, 4, 2, 8, spring}, {4, 5, 4, 5, qingming}, {5, 1, 5, 3, labour}, {6, 7, 6, 7, dragon},
		{9, 13, 9, 13, midAutumn}, {10, 1, 10, 7, national}},
	2020: { // SSE 上证公告〔2019〕65号, zhishi5.com of 2020-09-21; 31 January: the exchanges of 2020-01-27, caixin.com; SC 2020-01-27/5472352
		{1, 1, 1, 1, newYear}, {1, 24, 1, 31, spring}, {4, 6, 4, 6, qingming}, {5, 1, 5, 5, labour}, {6, 25, 6, 26, dragon},
		{10, 1, 10, 8, autumns}},
	2021: { // SSE 上证公告〔2020〕48号, nbd.com.cn of 2020-12-24; SC 2020-11-25/5564127
		{1, 1, 1, 1, newYear}, {2, 11, 2, 17, spring}, {4, 5, 4, 5, qingming}, {5, 3, 5, 5, labour}, {6, 14, 6, 14, dragon},
		{9, 20, 9, 21, midAutumn}, {10, 1, 10, 7, national}},
	2022: { // SSE of 2021-12-20, cs.com.cn of 2021-12-21; SC 2021-10-25/5644835
		{1, 3, 1, 3, newYear}, {1, 31, 2, 4, spring}, {4, 4, 4, 5, qingming}, {5, 2, 5, 4, labour}, {6, 3, 6, 3, dragon},
		{9, 12, 9, 12, midAutumn}, {10, 3, 10, 7, national}},
	2023: { // SSE of 2022-12-27 after 证监办发〔2022〕113号, meiguicj.com; SZSE, ebscn.com of 2022-12-28; SC 2022-12-08/5730844
		{1, 2, 1, 2, newYear}, {1, 23, 1, 27, spring}, {4, 5, 4, 5, qingming}, {5, 1, 5, 3, labour}, {6, 22, 6, 23, dragon},
		{9, 29, 10, 6, autumns}},
	2024: { // SSE of 2023-12-26, meimuju.com: the eve of the Spring Festival, 9 February, is closed too; SC 202310/6911528
		{1, 1, 1, 1, newYear}, {2, 9, 2, 16, spring}, {4, 4, 4, 5, qingming}, {5, 1, 5, 3, labour}, {6, 10, 6, 10, dragon},
		{9, 16, 9, 17, midAutumn}, {10, 1, 10, 7, national}},
	2025: { // SSE, SZSE and BSE of 2024-12-23, bg3.co; SC 202411/6986383
		{1, 1, 1, 1, newYear}, {1, 28, 2, 4, spring}, {4, 4, 4, 4, qingming}, {5, 1, 5, 5, labour}, {6, 2, 6, 2, dragon},
		{10, 1, 10, 8, autumns}},
	2026: { // SSE of 2025-12-22, etnet.com.hk of 2025-12-22; SC 202511/7047091
		{1, 1, 1, 2, newYear}, {2, 16, 2, 23, spring}, {4, 6, 4, 6, qingming}, {5, 1, 5, 5, labour}, {6, 19, 6, 19, dragon},
		{9, 25, 9, 25, midAutumn}, {10, 1, 10, 7, national}},
}
