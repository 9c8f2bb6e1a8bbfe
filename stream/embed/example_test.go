package embed_test

import (
	"context"
	"fmt"

	"github.com/foldstream/foldstream/stream/embed"
)

func ExampleStart() {
	s, err := embed.Start(context.Background(), embed.Config{Port: embed.NoListener}) // in a temporary directory
	if err != nil {
		fmt.Println(err)
		return
	}
	nc, err := s.Conn()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(nc.IsConnected(), nc.ConnectedServerName())
	nc.Close()
	fmt.Println(s.Close())
	// Output:
	// true foldstream
	// <nil>
}
