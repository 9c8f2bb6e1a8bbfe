package metric_test

import (
	"math"
	"strings"
	"testing"

	"github.com/foldstream/foldstream/metric"
)

// Distances from the mean −1.5 −0.5 0.5 1.5: their squares sum up to 5, neighbours' products to 0.75 − 0.25 + 0.75 = 1.25,
// those two apart to −0.75 − 0.75 = −1.5; over 4 × 3.
func TestNeweyWest(t *testing.T) {
	x := []float64{1, 2, 3, 4}
	near(t, "no lag", metric.NeweyWest(x, 0), math.Sqrt(5./12))
	near(t, "no lag is the usual one", metric.NeweyWest(x, 0), metric.Summarise(x).Std/2)
	near(t, "one lag", metric.NeweyWest(x, 1), math.Sqrt((5+2*(1./2)*1.25)/12))
	near(t, "two lags", metric.NeweyWest(x, 2), math.Sqrt((5+2*(2./3)*1.25+2*(1./3)*-1.5)/12))
	near(t, "negative lags", metric.NeweyWest(x, -3), metric.NeweyWest(x, 0))
	// A day without a value keeps its place: 1 and 2, then 3 and 4, are neighbours, 2 and 3 are two apart; 2 and 4, 1 and 3 three.
	near(t, "a gap", metric.NeweyWest([]float64{1, 2, nan, 3, 4}, 1), math.Sqrt((5+2*(1./2)*(0.75+0.75))/12))
	near(t, "one value", metric.NeweyWest([]float64{1, nan}, 1), nan)
	near(t, "no value", metric.NeweyWest(nil, 1), nan)
	near(t, "no spread", metric.NeweyWest([]float64{0.1, 0.1, 0.1}, 1), 0)
}

// The numbers are statsmodels' (0.15.0) for the daily ICs of gaps:
//
//	for lags in 0, 1, 4, 11, 30:
//		fit = sm.OLS(np.asarray(ic), np.ones(len(ic))).fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True})
//		print(fit.bse[0], fit.tvalues[0])
func TestCorrectAgainstStatsmodels(t *testing.T) {
	ic := metric.IC(gaps(), "s", "r").Values
	for lags, want := range map[int][2]float64{
		0: {0.10807816544850758, 0.18395115345445084}, 1: {0.07964492627936637, 0.24962171636342576}, 4: {0.05722764999084782, 0.34740380219480355},
		11: {0.0398278453484835, 0.4991759665515259}, 30: {0.024779731038942706, 0.8023131149506708},
	} {
		o := metric.Correct(ic, lags+1)
		near(t, "standard error", o.StdError, want[0])
		near(t, "t", o.T, want[1])
		near(t, "ratio", o.Ratio, want[1]/math.Sqrt(12))
		if o.Horizon != lags+1 {
			t.Errorf("%+v", o)
		}
	}
	near(t, "t without spread", metric.Correct([]float64{1, 1}, 5).T, nan)
}

func TestOverlapNote(t *testing.T) {
	if got := metric.OverlapNote(1); got != "" {
		t.Errorf("labels of one session: %q", got)
	}
	if got := metric.OverlapNote(20); !strings.Contains(got, "20 sessions") || !strings.Contains(got, "19 lags") {
		t.Errorf("got %q", got)
	}
}
