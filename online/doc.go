// Package online keeps models in service: a strategy is an experiment file that goes on. At each new session its routine trains the windows
// that begin, switches the online set to them, and says what the set predicts. It is Qlib's online serving (workflow/online:
// OnlineManager, RollingStrategy, OnlineTool), with three differences that make it one to trust:
//
//   - The state is one value, switched by one compare-and-set. Nobody ever sees half a set, and two routines at once are one.
//   - A routine is a function of the state and the session. One that was missed is made up for: to go to a session at once and
//     to go there day by day give the same bytes, and so does a simulation, which is nothing else.
//   - A signal is said once, by the models that were online for its session, and never changed.
//
// State and its methods are pure; Routine reads and writes the store, and has no clock and no goroutine: whoever calls it waits.
package online
