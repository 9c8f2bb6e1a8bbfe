package archive

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/wire"
)

// Item is a recorded task and what it came to; Result is nil where it has none.
type Item struct {
	Task   foldstream.Task
	Result *foldstream.Result
}

// maxItem is the largest item that is read: a server takes no larger one.
const maxItem = 64 << 20

// AppendItem adds an item to an entry of tasks: its length in 4 bytes, the lowest last, and the item in msgpack, as the streams have tasks and
// results: a map by field name without the fields that are zero, integers and floats as they are.
func AppendItem(to []byte, item Item) ([]byte, error) {
	var b bytes.Buffer
	enc := msgpack.NewEncoder(&b)
	enc.SetOmitEmpty(true)
	err := enc.Encode(&item)
	if err == nil {
		err = wire.Check(b.Bytes()) // what cannot be read must not be written
	}
	if err != nil {
		return to, foldstream.E(foldstream.Invalid, "archive", err)
	}
	return append(binary.BigEndian.AppendUint32(to, uint32(b.Len())), b.Bytes()...), nil
}

func decodeItem(data []byte) (item Item, err error) {
	if err = wire.Check(data); err == nil {
		dec := msgpack.NewDecoder(bytes.NewReader(data))
		dec.UseLooseInterfaceDecoding(true)
		err = dec.Decode(&item)
	}
	if err != nil {
		err = foldstream.Errorf(foldstream.Invalid, "archive", "a task of it cannot be read: %w", err)
	}
	return item, err
}

// Items reads an entry of tasks. Errors: Invalid, Differs (it is cut off), those of do.
func Items(r io.Reader, do func(Item) error) error {
	in := bufio.NewReader(r)
	for {
		var size [4]byte
		if _, err := io.ReadFull(in, size[:]); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return damaged(err, 1)
		}
		n := binary.BigEndian.Uint32(size[:])
		if n > maxItem {
			return foldstream.Errorf(foldstream.Invalid, "archive", "a task of %d bytes is over %d", n, maxItem)
		}
		var data bytes.Buffer // grows by what is there, not by what is said
		if got, err := io.CopyN(&data, in, int64(n)); err != nil && got < int64(n) {
			return damaged(err, 1)
		}
		item, err := decodeItem(data.Bytes())
		if err != nil {
			return err
		}
		if err := do(item); err != nil {
			return err
		}
	}
}
