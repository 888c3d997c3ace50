// The peer: chromem-go's exact search over random unit vectors of 384 dimensions in memory, and its store on disk.
//
//	chromem ROWS SECONDS                      prints the median time of a query in microseconds, plain and with a
//	                                          filter that keeps one document in ten
//	chromem load FOLDER DOCUMENTS             prints documents a second, added in batches of 1,000
//	chromem sustained FOLDER DOCUMENTS        prints that, and the same of a second store in the same process
//	chromem single FOLDER CLIENTS DOCUMENTS   prints p50 and p99 of single adds in microseconds, documents a second
//	chromem open FOLDER                       prints milliseconds until the first answer, and the number of hits
//	chromem memory FOLDER                     prints bytes resident once open, and the number of collections
package main

import (
	"context"
	"fmt"
	"math"
	"math/rand"
	"os"
	"runtime"
	"slices"
	"strconv"
	"time"

	chromem "github.com/philippgille/chromem-go"
)

const dimension = 384

func unit(random *rand.Rand) []float32 {
	vector := make([]float32, dimension)
	var sum float64
	for i := range vector {
		vector[i] = float32(random.NormFloat64())
		sum += float64(vector[i]) * float64(vector[i])
	}
	for i := range vector {
		vector[i] = float32(float64(vector[i]) / math.Sqrt(sum))
	}
	return vector
}

func main() {
	args := os.Args[1:]
	number := func(i int) int {
		n, err := strconv.Atoi(args[i])
		check(err)
		return n
	}
	switch {
	case len(args) == 3 && args[0] == "load":
		fmt.Printf("%.0f\n", load(args[1], number(2)))
	case len(args) == 3 && args[0] == "sustained":
		sustained(args[1], number(2))
	case len(args) == 4 && args[0] == "single":
		single(args[1], number(2), number(3))
	case len(args) == 2 && args[0] == "open":
		open(args[1])
	case len(args) == 2 && args[0] == "memory":
		memory(args[1])
	case len(args) == 2:
		seconds, err := strconv.ParseFloat(args[1], 64)
		check(err)
		search(number(0), seconds)
	default:
		fmt.Fprintln(os.Stderr, "usage: chromem ROWS SECONDS | load FOLDER DOCUMENTS | sustained FOLDER DOCUMENTS | single FOLDER CLIENTS DOCUMENTS | open FOLDER | memory FOLDER")
		os.Exit(2)
	}
}

func search(rows int, seconds float64) {
	ctx := context.Background()
	random := rand.New(rand.NewSource(42))
	db := chromem.NewDB()
	collection, err := db.CreateCollection("bench", nil, noEmbedding)
	check(err)
	for i := 0; i < rows; i++ {
		check(collection.AddDocument(ctx, chromem.Document{
			ID:        "doc-" + strconv.Itoa(i),
			Content:   "content " + strconv.Itoa(i),
			Metadata:  map[string]string{"tenth": strconv.Itoa(i % 10)},
			Embedding: unit(random),
		}))
	}
	queries := make([][]float32, 64)
	for i := range queries {
		queries[i] = unit(random)
	}
	runtime.GC()
	plain := measure(ctx, collection, queries, nil, seconds)
	filtered := measure(ctx, collection, queries, map[string]string{"tenth": "3"}, seconds)
	fmt.Printf("%.1f %.1f\n", plain, filtered)
}

func measure(ctx context.Context, collection *chromem.Collection, queries [][]float32, where map[string]string, seconds float64) float64 {
	query := func(n int) {
		_, err := collection.QueryEmbedding(ctx, queries[n%len(queries)], 10, where, nil)
		check(err)
	}
	for n := 0; n < 10; n++ {
		query(n)
	}
	var times []time.Duration
	for begin := time.Now(); len(times) < 10 || time.Since(begin).Seconds() < seconds; {
		start := time.Now()
		query(len(times))
		times = append(times, time.Since(start))
	}
	slices.Sort(times)
	return float64(times[len(times)/2].Nanoseconds()) / 1e3
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
