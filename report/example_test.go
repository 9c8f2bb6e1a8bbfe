package report_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/foldstream/foldstream/report"
)

// The windows of a plan as a picture for a README or a ticket.
func ExampleWindowsPlot() {
	var svg strings.Builder
	if err := report.WindowsPlot("Ridge", report.Timelines(sampleTasks())).WriteSVG(&svg); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	fmt.Println(strings.Count(svg.String(), `<rect class="span train"`), "training periods")
	// Output: 40 training periods
}
