package embed

import (
	"fmt"
	"log/slog"
	"sync"
)

// logger carries the server's words to slog and keeps the first fatal ones: an embedded server must not end the process.
type logger struct {
	log *slog.Logger

	mu      sync.Mutex
	fatal   string
	started bool // whoever starts it is told of what comes before
}

func newLogger(log *slog.Logger) *logger {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &logger{log: log}
}

func words(format string, v []any) string { return "nats-server: " + fmt.Sprintf(format, v...) }

// Noticef logs what is worth knowing to who looks for it.
func (l *logger) Noticef(format string, v ...any) { l.log.Debug(words(format, v)) }

// Warnf logs a warning.
func (l *logger) Warnf(format string, v ...any) { l.log.Warn(words(format, v)) }

// Errorf logs an error.
func (l *logger) Errorf(format string, v ...any) { l.log.Error(words(format, v)) }

// Debugf logs for the server's own developers.
func (l *logger) Debugf(format string, v ...any) { l.log.Debug(words(format, v)) }

// Tracef logs for the server's own developers.
func (l *logger) Tracef(format string, v ...any) { l.log.Debug(words(format, v)) }

// Fatalf keeps the reason why the server cannot go on.
func (l *logger) Fatalf(format string, v ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.started {
		l.log.Error(words(format, v))
	}
	if l.fatal == "" {
		l.fatal = fmt.Sprintf(format, v...)
	}
}

func (l *logger) fatalError() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fatal
}

func (l *logger) start() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.started = true
}
