// Interop is the real chromem-go behind a command line, so that the Java tests can ask it what it
// reads in a folder, and have it write one. All content goes as JSON over standard input and
// output; see database for its shape.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/philippgille/chromem-go"
)

const usage = `usage:
  interop dump        <root> <plain|gzip>
  interop dump-export <file> [key]
  interop write       <root> <plain|gzip>                         database on standard input
  interop delete      <root> <plain|gzip>                         deletion on standard input
  interop export      <root> <plain|gzip> <file> <plain|gzip> [key]
  interop query       <root> <plain|gzip>                         question on standard input
  interop handle      <root> <plain|gzip> [elsewhere]             the incident of 2026-01-22: deletion on standard input`

var errUsage = errors.New(usage)

func main() {
	err := run(os.Args[1:], os.Stdin, os.Stdout)
	switch {
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) < 2 {
		return errUsage
	}
	command, rest := args[0], args[1:]
	if command == "dump-export" {
		return dumpExport(rest[0], argument(rest, 1), out)
	}
	db, err := open(rest[0], argument(rest, 1))
	if err != nil {
		return err
	}
	switch command {
	case "dump":
		return dump(db, out)
	case "write":
		return write(db, in)
	case "delete":
		return remove(db, in)
	case "export":
		return export(db, argument(rest, 2), argument(rest, 3), argument(rest, 4))
	case "handle":
		if argument(rest, 2) == "" {
			return writeThroughKeptHandle(db, db, in, out)
		}
		// A second process has a database of its own over the folder, and nothing tells the first one.
		other, err := open(rest[0], argument(rest, 1))
		if err != nil {
			return err
		}
		return writeThroughKeptHandle(db, other, in, out)
	case "query":
		return query(db, in, out)
	default:
		return errUsage
	}
}

func argument(args []string, i int) string {
	if i < len(args) {
		return args[i]
	}
	return ""
}

func open(root, kind string) (*chromem.DB, error) {
	compress, err := isGzip(kind)
	if err != nil {
		return nil, err
	}
	return chromem.NewPersistentDB(root, compress)
}

func isGzip(kind string) (bool, error) {
	switch kind {
	case "plain":
		return false, nil
	case "gzip":
		return true, nil
	default:
		return false, errUsage
	}
}

func dumpExport(file, key string, out io.Writer) error {
	db := chromem.NewDB()
	if err := db.ImportFromFile(file, key); err != nil {
		return err
	}
	return dump(db, out)
}

func export(db *chromem.DB, file, kind, key string) error {
	compress, err := isGzip(kind)
	if err != nil {
		return err
	}
	return db.ExportToFile(file, compress, key)
}
