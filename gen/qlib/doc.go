// Package qlib reads the files that describe an experiment: Foldstream's own experiment file, and Qlib's task dict and
// workflow YAML as a source of templates. What it reads becomes templates, generators and, with a calendar, a Plan.
//
// Reading is strict: an unknown or doubled key, a value of the wrong type or a number that would not survive JSON is an
// error that names file, line, column and field, and all errors of a file come at once. Scalars follow YAML 1.2 as Qlib's
// runner reads them (yes and no are text); dates stay text as written. The package opens no file and reads no environment itself.
//
// An experiment file has these keys; the first three and one source of templates must be there, but for what a workflow file
// that it is from says:
//
//	name: dow30                        # letters, digits, - and _
//	worker: ridge                      # who runs the tasks
//	calendar: {csv: prices.csv}        # and column: date; or {text: FILE}, {qlib: FOLDER, freq: day}, {exchange: XNYS, from: DATE, to: DATE}; now: DATE ends history
//	template: {model: {…}, dataset: {…}, record: […]}   # Qlib's task dict; or templates: [{…}, {…}]; or from: workflow.yaml
//	exec: {command: [python3, train.py]}                # of worker: exec alone; becomes part of the task
//	pool: dow30                        # the name, unless set
//	data:                              # files the tasks read, by content
//	  prices: prices.csv
//	  features: {path: /shared/f.bin, upload: false}
//	generators:                        # in order, the last varies fastest
//	  - grid: {model.kwargs.alpha: [0.1, 1], model.kwargs.depth: {range: [2, 8, 2]}}
//	  - horizon: {horizons: [1, 5], leak: 2}
//	  - either:                        # alternatives
//	      - rolling: {type: expanding, step: 63, trunc: reach, roll_fit: true, last: merge}
//	      - rolling: {type: sliding, step: 63, trunc: 10, train_sessions: 756, keep_handler_end: true, name: short}
//	  - seeds: [1, 2, 3]
//	leaks: refuse                      # or warn; or {policy: refuse, reach: 2} where the label does not tell its reach
//	priority: 3                        # −9 to 9
//	tags: {who: me}
//	retry: {attempts: 3, backoff: 1s, ceiling: 5m}
//	deadline: 10m                      # of one attempt
//	collection: {frame: pred, score: score, label: label, return: return, ensemble: average, portfolio: {top_k: 5, n_drop: 1, cost: 0.001}}
//	            # ensemble: average | rank | weighted, the last with weights: {horizon=5: 2, "alpha=1,horizon=1": 0}
package qlib
