package main

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"sort"

	"github.com/philippgille/chromem-go"
)

// A database as JSON. Nil and empty maps stay apart (null and {}), and an embedding is a list of
// the bits of its float32 values, so that nothing is lost on the way.
type database struct {
	Collections []collection `json:"collections"`
}

type collection struct {
	Name      string            `json:"name"`
	Metadata  map[string]string `json:"metadata"`
	Documents []document        `json:"documents"`
}

type document struct {
	ID        string            `json:"id"`
	Metadata  map[string]string `json:"metadata"`
	Embedding []uint32          `json:"embedding"`
	Content   string            `json:"content"`
}

type deletion struct {
	Collection string   `json:"collection"`
	IDs        []string `json:"ids"` // none: the whole collection
}

type question struct {
	Collection string            `json:"collection"`
	Embedding  []uint32          `json:"embedding"`
	Limit      int               `json:"limit"`
	Where      map[string]string `json:"where"`
}

type answer struct {
	ID         string `json:"id"`
	Similarity uint32 `json:"similarity"` // bits
}

// dump prints everything in a fixed order. chromem-go has no call that shows a collection's
// metadata, so it is read from the export.
func dump(db *chromem.DB, out io.Writer) error {
	var buffer bytes.Buffer
	if err := db.ExportToWriter(&buffer, false, ""); err != nil {
		return err
	}
	var exported struct {
		Collections map[string]*struct {
			Name      string
			Metadata  map[string]string
			Documents map[string]*chromem.Document
		}
	}
	if err := gob.NewDecoder(&buffer).Decode(&exported); err != nil {
		return err
	}
	result := database{Collections: []collection{}}
	for key, found := range exported.Collections {
		if key != found.Name {
			return fmt.Errorf("collection %q is kept under the key %q", found.Name, key)
		}
		c := collection{Name: found.Name, Metadata: found.Metadata, Documents: []document{}}
		for id, d := range found.Documents {
			if id != d.ID {
				return fmt.Errorf("document %q is kept under the key %q", d.ID, id)
			}
			c.Documents = append(c.Documents,
				document{ID: d.ID, Metadata: d.Metadata, Embedding: bits(d.Embedding), Content: d.Content})
		}
		sort.Slice(c.Documents, func(i, j int) bool { return c.Documents[i].ID < c.Documents[j].ID })
		result.Collections = append(result.Collections, c)
	}
	sort.Slice(result.Collections, func(i, j int) bool {
		return result.Collections[i].Name < result.Collections[j].Name
	})
	return json.NewEncoder(out).Encode(result)
}

// write adds to what is there: a collection that exists keeps its metadata, a document that exists
// is replaced.
func write(db *chromem.DB, in io.Reader) error {
	var wanted database
	if err := json.NewDecoder(in).Decode(&wanted); err != nil {
		return err
	}
	for _, c := range wanted.Collections {
		target, err := db.GetOrCreateCollection(c.Name, c.Metadata, neverEmbed)
		if err != nil {
			return err
		}
		for _, d := range c.Documents {
			add := chromem.Document{
				ID: d.ID, Metadata: d.Metadata, Embedding: floats(d.Embedding), Content: d.Content,
			}
			if err := target.AddDocuments(context.Background(), []chromem.Document{add}, 1); err != nil {
				return err
			}
		}
	}
	return nil
}

func remove(db *chromem.DB, in io.Reader) error {
	var wanted deletion
	if err := json.NewDecoder(in).Decode(&wanted); err != nil {
		return err
	}
	if len(wanted.IDs) == 0 {
		return db.DeleteCollection(wanted.Collection)
	}
	target := db.GetCollection(wanted.Collection, neverEmbed)
	if target == nil {
		return fmt.Errorf("no collection %q", wanted.Collection)
	}
	return target.Delete(context.Background(), nil, nil, wanted.IDs...)
}

// Deletes a collection in one database and writes a document through a handle of another (or the
// same), which chromem-go lets happen; tells in out what each step came to.
func writeThroughKeptHandle(db, deleting *chromem.DB, in io.Reader, out io.Writer) error {
	var wanted deletion
	if err := json.NewDecoder(in).Decode(&wanted); err != nil {
		return err
	}
	handle := db.GetCollection(wanted.Collection, neverEmbed)
	if handle == nil {
		return fmt.Errorf("no collection %q", wanted.Collection)
	}
	err := deleting.DeleteCollection(wanted.Collection)
	fmt.Fprintln(out, "delete", err)
	document := chromem.Document{ID: "late", Content: "late", Embedding: []float32{1, 0}}
	err = handle.AddDocument(context.Background(), document)
	fmt.Fprintln(out, "add through the kept handle", err)
	return nil
}

func query(db *chromem.DB, in io.Reader, out io.Writer) error {
	var asked question
	if err := json.NewDecoder(in).Decode(&asked); err != nil {
		return err
	}
	target := db.GetCollection(asked.Collection, neverEmbed)
	if target == nil {
		return fmt.Errorf("no collection %q", asked.Collection)
	}
	results, err := target.QueryEmbedding(
		context.Background(), floats(asked.Embedding), asked.Limit, asked.Where, nil)
	if err != nil {
		return err
	}
	answers := []answer{}
	for _, result := range results {
		answers = append(answers, answer{result.ID, math.Float32bits(result.Similarity)})
	}
	return json.NewEncoder(out).Encode(answers)
}

func neverEmbed(context.Context, string) ([]float32, error) {
	return nil, fmt.Errorf("every document must come with its embedding")
}

func bits(values []float32) []uint32 {
	if values == nil {
		return nil
	}
	result := make([]uint32, len(values))
	for i, value := range values {
		result[i] = math.Float32bits(value)
	}
	return result
}

func floats(bits []uint32) []float32 {
	result := make([]float32, len(bits))
	for i, value := range bits {
		result[i] = math.Float32frombits(value)
	}
	return result
}
