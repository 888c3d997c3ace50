package main

import (
	"context"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	chromem "github.com/philippgille/chromem-go"
)

const (
	collectionName  = "bench"
	batch           = 1000
	vectorCount     = 4096
	limit           = 10
	warmupDocuments = 200
	text            = " of the session: the build failed because a test read a file that another test had moved," +
		" so each of them was given a folder of its own and the order no longer matters to them."
)

// documents are those of StoreDocuments.java: cheap to make while the clock runs, because a vector is one of
// vectorCount random ones, rotated by as many places as these were used up before.
type documents [][]float32

func newDocuments() documents {
	random := rand.New(rand.NewSource(42))
	vectors := make(documents, vectorCount)
	for i := range vectors {
		vectors[i] = unit(random)
	}
	return vectors
}

func (vectors documents) vector(number int) []float32 {
	from, places := vectors[number%vectorCount], number/vectorCount%dimension
	return append(append(make([]float32, 0, dimension), from[places:]...), from[:places]...)
}

func (vectors documents) document(number int) chromem.Document {
	return chromem.Document{
		ID:      "doc-" + strconv.Itoa(number),
		Content: "Note " + strconv.Itoa(number) + text,
		Metadata: map[string]string{
			"tenth":      strconv.Itoa(number % 10),
			"project":    "project-" + strconv.Itoa(number%7),
			"created_at": strconv.Itoa(1_700_000_000 + number),
		},
		Embedding: vectors.vector(number),
	}
}

func noEmbedding(context.Context, string) ([]float32, error) {
	return nil, fmt.Errorf("nothing is embedded here")
}

func openCollection(folder string) *chromem.Collection {
	db, err := chromem.NewPersistentDB(folder, false)
	check(err)
	collection, err := db.GetOrCreateCollection(collectionName, nil, noEmbedding)
	check(err)
	return collection
}

// load prints documents a second, added in batches on all cores; nothing is synced.
func load(folder string, count int) float64 {
	vectors, collection := newDocuments(), openCollection(folder)
	start := time.Now()
	for from := 0; from < count; from += batch {
		docs := make([]chromem.Document, 0, batch)
		for i := from; i < min(from+batch, count); i++ {
			docs = append(docs, vectors.document(i))
		}
		check(collection.AddDocuments(context.Background(), docs, runtime.NumCPU()))
	}
	return float64(count) / time.Since(start).Seconds()
}

// sustained prints the rate of load, and that of a second store that the same process loads behind the first one.
func sustained(folder string, count int) {
	young := load(filepath.Join(folder, "young"), count)
	runtime.GC()
	fmt.Printf("%.0f %.0f\n", young, load(filepath.Join(folder, "warm"), count))
}

// single prints p50 and p99 in microseconds of adds of one document, and documents a second.
func single(folder string, clients, count int) {
	vectors, collection := newDocuments(), openCollection(folder)
	each := count / clients
	addSingly(collection, vectors, clients*each, clients, warmupDocuments)
	start := time.Now()
	times := addSingly(collection, vectors, 0, clients, each)
	rate := float64(len(times)) / time.Since(start).Seconds()
	percentile := func(percent int) float64 { return float64(times[(len(times)-1)*percent/100].Nanoseconds()) / 1e3 }
	fmt.Printf("%.1f %.1f %.0f\n", percentile(50), percentile(99), rate)
}

func addSingly(collection *chromem.Collection, vectors documents, first, clients, each int) []time.Duration {
	times := make([]time.Duration, clients*each)
	var all sync.WaitGroup
	for client := 0; client < clients; client++ {
		all.Add(1)
		go func(from int) {
			defer all.Done()
			for i := from; i < from+each; i++ {
				document := vectors.document(first + i)
				start := time.Now()
				check(collection.AddDocument(context.Background(), document))
				times[i] = time.Since(start)
			}
		}(client * each)
	}
	all.Wait()
	slices.Sort(times)
	return times
}

// open prints milliseconds from the call that opens the store to the first answer.
func open(folder string) {
	query := unit(rand.New(rand.NewSource(43)))
	start := time.Now()
	db, err := chromem.NewPersistentDB(folder, false)
	check(err)
	found := 0
	if collection := db.GetCollection(collectionName, noEmbedding); collection != nil && collection.Count() > 0 {
		results, err := collection.QueryEmbedding(context.Background(), query, limit, nil, nil)
		check(err)
		found = len(results)
	}
	fmt.Printf("%.1f %d\n", float64(time.Since(start).Nanoseconds())/1e6, found)
}

// memory prints bytes resident once the store is open and garbage is collected.
func memory(folder string) {
	db, err := chromem.NewPersistentDB(folder, false)
	check(err)
	runtime.GC()
	debug.FreeOSMemory()
	status, err := os.ReadFile("/proc/self/status")
	check(err)
	for _, line := range strings.Split(string(status), "\n") {
		if rest, found := strings.CutPrefix(line, "VmRSS:"); found {
			kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
			check(err)
			fmt.Println(kilobytes<<10, len(db.ListCollections()))
		}
	}
}
