package cli

import (
	"fmt"

	"github.com/alecthomas/kong"
)

// Foldstream is the grammar of the person's tool: everything the services do, and more.
type Foldstream struct {
	Demo       DemoCmd       `cmd:"" group:"Run" help:"Run the example on a fresh embedded server: 480 walk-forward tasks on real prices."`
	Run        RunCmd        `cmd:"" group:"Run" help:"Take an experiment file to its collection in one process."`
	Plan       PlanCmd       `cmd:"" group:"Run" help:"Show the tasks of an experiment file; publish nothing."`
	Apply      ApplyCmd      `cmd:"" group:"Run" help:"Publish exactly what a plan file says; refuse where the world has moved."`
	Serve      ServeCmd      `cmd:"" group:"Run" help:"Run the embedded server, an aggregator and the schedules for other processes."`
	Node       NodeCmd       `cmd:"" hidden:"" help:"Run one server of a cluster on this machine, for chaos."`
	Schedule   ScheduleCmd   `cmd:"" group:"Run" help:"Submit experiments at a time, or again and again: add, list, show, remove, run-now."`
	Online     OnlineCmd     `cmd:"" group:"Run" help:"Keep models in service: init, routine for each session, simulate, show, list."`
	Prepare    PrepareCmd    `cmd:"" group:"Run" help:"Print what a command makes of some files: made once, kept by their content for all machines."`
	Wait       WaitCmd       `cmd:"" group:"Look" help:"Wait until every task of an experiment is done or given up."`
	Stat       StatCmd       `cmd:"" group:"Look" help:"Count the tasks of pools by status."`
	Collection CollectionCmd `cmd:"" group:"Look" help:"Look at collections."`
	Experiment ExperimentCmd `cmd:"" aliases:"exp" group:"Look" help:"Look at experiments, choose one, delete one."`
	Table      TableCmd      `cmd:"" group:"Look" help:"Make the table of models and data sets over the runs of experiments: mean and deviation of each metric."`
	Recorder   RecorderCmd   `cmd:"" aliases:"rec" group:"Look" help:"Look at the recorders of an experiment: parameters, metrics, artifacts, notes."`
	Task       TaskCmd       `cmd:"" group:"Tasks" help:"Single tasks: add, replace, list, show, history, logs."`
	Explain    ExplainCmd    `cmd:"" group:"Tasks" help:"Tell all about a task: where it comes from, what became of it, what it is part of."`
	WhyMiss    WhyMissCmd    `cmd:"" name:"why-miss" group:"Tasks" help:"Tell in what the results of a task differ from what is wanted: code, data, environment."`
	Cancel     CancelCmd     `cmd:"" group:"Tasks" help:"End open tasks: their work is stopped, their status is cancelled."`
	Remove     RemoveCmd     `cmd:"" aliases:"rm,delete" group:"Tasks" help:"End the life of tasks; creating one again begins a new life."`
	Retry      RetryCmd      `cmd:"" group:"Tasks" help:"Put failed and cancelled tasks back to waiting."`
	Reset      ResetCmd      `cmd:"" group:"Tasks" help:"Put running tasks whose worker is gone back to waiting."`
	Prioritize PrioritizeCmd `cmd:"" group:"Tasks" help:"Move waiting tasks to another priority."`
	DLQ        DLQCmd        `cmd:"" name:"dlq" group:"Tasks" help:"Look at the dead letters of failed tasks."`
	Pause      PauseCmd      `cmd:"" group:"Pools" help:"Fetch no more of a pool's tasks; what runs goes on."`
	Resume     ResumeCmd     `cmd:"" group:"Pools" help:"Fetch a paused pool's tasks again."`
	Pool       PoolCmd       `cmd:"" group:"Pools" help:"Look at pools and set their limits."`
	GC         GCCmd         `cmd:"" name:"gc" group:"Pools" help:"Delete what nothing refers to: outputs that lost, superseded frames, prepared data that nobody uses."`
	Chaos      ChaosCmd      `cmd:"" group:"Pools" help:"Work an experiment while processes are killed, stopped and cut off; prove that nothing came of it."`
	Verify     VerifyCmd     `cmd:"" group:"Pools" help:"Prove that no task of a pool was lost or doubled."`
	Workers    WorkersCmd    `cmd:"" group:"Look" help:"Look at the workers that are alive."`
	Calendar   CalendarCmd   `cmd:"" group:"Look" help:"Look at the calendars of exchanges: list, show."`
	Replay     ReplayCmd     `cmd:"" group:"Run" help:"Make a new experiment of the recorded tasks of an experiment."`
	Diff       DiffCmd       `cmd:"" group:"Look" help:"Compare two experiments: what is identical, what changed and by how much."`
	Archive    ArchiveCmd    `cmd:"" group:"Run" help:"Move an experiment from one store to another by one file: export, import, verify."`
	Producer   Producer      `cmd:"" group:"Services" help:"Make tasks."`
	Consumer   Consumer      `cmd:"" group:"Services" help:"Work on tasks."`
	Aggregator Aggregator    `cmd:"" group:"Services" help:"Fold results."`
	Auth       AuthCmd       `cmd:"" group:"Services" help:"Make users for a nats-server: producers, consumers, aggregators, viewers, admins."`
	Doctor     DoctorCmd     `cmd:"" group:"Look" help:"Look at the server and its streams: what is missing, wrong, or not ours."`
	Check      CheckCmd      `cmd:"" group:"Look" help:"Check the server for monitoring: Nagios, Prometheus, JSON."`
	Config     ConfigCmd     `cmd:"" group:"Look" help:"Look at the settings: flags, environment, file, defaults."`
	Completion CompletionCmd `cmd:"" group:"Look" help:"Write the script by which a shell completes commands and flags."`
	Version    VersionCmd    `cmd:"" group:"Look" help:"Show which build this is."`
}

// CollectionCmd is the commands that look at collections.
type CollectionCmd struct {
	Show   CollectionShowCmd   `cmd:"" aliases:"info,view" help:"Show a collection's table or its series, in several formats."`
	Export CollectionExportCmd `cmd:"" help:"Write a collection's table and its series into files: CSV, JSON, Markdown, Parquet."`
	List   CollectionListCmd   `cmd:"" aliases:"ls" help:"List the experiments and how complete their collections are."`
	Watch  CollectionWatchCmd  `cmd:"" help:"Tell how much of a collection is there, and again whenever that changes, until it is settled."`
	Report CollectionReportCmd `cmd:"" help:"Write the report of a collection: one HTML file."`
	Plot   CollectionPlotCmd   `cmd:"" help:"Write a picture of a collection as SVG or PNG."`
}

// VersionCmd shows which build this is.
type VersionCmd struct{}

// Run prints one line.
func (VersionCmd) Run(env *Env, k *kong.Context) error {
	_, err := fmt.Fprintln(env.Stdout, Version(k.Model.Name))
	return err
}
