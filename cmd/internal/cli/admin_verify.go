package cli

import (
	"context"
	"fmt"

	"github.com/foldstream/foldstream"
)

// VerifyCmd proves that a pool lost and doubled nothing.
type VerifyCmd struct {
	Managed
	PoolArg
	Repair bool `help:"First give a ticket to each open task that has none, and take dead tickets away."`
}

// verified is a balance for machines.
type verified struct {
	Pool     string            `json:"pool"`
	Created  int               `json:"created"`
	Counts   foldstream.Counts `json:"counts"`
	Tickets  int               `json:"tickets"`
	Results  int               `json:"results"`
	Repaired int               `json:"repaired"`
	Faults   []string          `json:"faults"`
}

// Run verifies. Errors: NotConserved.
func (c *VerifyCmd) Run(ctx context.Context, env *Env) error {
	return c.onPool(ctx, env, c.PoolArg, func(a administered) error {
		repaired := 0
		if c.Repair {
			var err error
			if repaired, err = a.Reconcile(ctx, c.Pool); err != nil {
				return err
			}
		}
		v, err := a.Verify(ctx, c.Pool)
		if err != nil {
			return err
		}
		out := verified{c.Pool, v.Created, v.Counts, v.Tickets, v.Results, repaired, balanced(v)}
		if c.JSON {
			err = printJSON(env.Stdout, out)
		} else {
			printVerified(env, out)
		}
		if err == nil && len(out.Faults) > 0 {
			err = foldstream.Errorf(foldstream.NotConserved, "", "%s is not conserved: %d faults", c.Pool, len(out.Faults))
		}
		return err
	})
}

// balanced returns the faults, that of the sum with them. It is never nil.
func balanced(v foldstream.Conservation) []string {
	faults := append([]string{}, v.Faults...)
	if total := v.Counts.Total(); total != v.Created {
		faults = append(faults, fmt.Sprintf("%d tasks were created, the statuses sum up to %d", v.Created, total))
	}
	return faults
}

func printVerified(env *Env, v verified) {
	if v.Repaired > 0 {
		fmt.Fprintf(env.Stdout, "%s: repaired %s\n", v.Pool, tasksN(v.Repaired))
	}
	for _, fault := range v.Faults {
		fmt.Fprintf(env.Stdout, "%s: %s\n", v.Pool, fault)
	}
	fmt.Fprintf(env.Stdout, "%s: %d created =", v.Pool, v.Created)
	for i, s := range statuses {
		if i > 0 {
			fmt.Fprint(env.Stdout, " +")
		}
		fmt.Fprintf(env.Stdout, " %d %s", v.Counts[s], s)
	}
	fmt.Fprintf(env.Stdout, "; %d tickets, %d results, %d faults\n", v.Tickets, v.Results, len(v.Faults))
}
