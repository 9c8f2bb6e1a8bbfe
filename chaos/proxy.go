package chaos

import (
	"net"
	"sync"
	"time"
)

// proxy stands between the processes and their server on the loopback interface, and does to their connections what networks do.
type proxy struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	conns map[net.Conn]bool
	until time.Time     // nothing passes before: connections are half open
	delay time.Duration // of every piece that passes
	over  bool
	group sync.WaitGroup
}

func openProxy(target string) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: l, target: target, conns: map[net.Conn]bool{}}
	p.group.Go(p.accept)
	return p, nil
}

func (p *proxy) address() string { return p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = in.Close()
			continue
		}
		p.group.Go(func() { p.pipe(in, out) })
		p.group.Go(func() { p.pipe(out, in) })
	}
}

// pipe copies from one end to the other until either is closed.
func (p *proxy) pipe(from, to net.Conn) {
	defer func() {
		_ = from.Close()
		_ = to.Close()
		p.mu.Lock()
		delete(p.conns, from)
		p.mu.Unlock()
	}()
	if !p.keep(from) {
		return
	}
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && !p.pass(to, buffer[:n]) || err != nil {
			return
		}
	}
}

func (p *proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[c] = true
	return !p.over
}

// pass writes what was read when its time has come.
func (p *proxy) pass(to net.Conn, data []byte) bool {
	p.mu.Lock()
	wait := max(time.Until(p.until), p.delay)
	p.mu.Unlock()
	if wait > 0 {
		<-time.After(wait)
	}
	_, err := to.Write(data)
	return err == nil
}

// cut closes all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.Close()
	}
}

// stall lets nothing pass for a while, and keeps it.
func (p *proxy) stall(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.until = time.Now().Add(d)
}

// slow has everything take longer; 0 is no longer.
func (p *proxy) slow(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

func (p *proxy) close() {
	p.mu.Lock()
	p.over, p.until, p.delay = true, time.Time{}, 0
	p.mu.Unlock()
	_ = p.listener.Close()
	p.cut()
	p.group.Wait()
}
