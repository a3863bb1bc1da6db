// The same work in Go. A line with a number of operations is answered with the nanoseconds they took; `words` is a program
// of its own.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"time"
)

// What is measured, by name: each does so many operations, and panics if their result is wrong.
var programs = map[string]func(operations int){
	"channel-buffered":     channelBuffered,
	"channel-unbuffered":   channelUnbuffered,
	"channel-four-to-four": channelFourToFour,
	"channel-drain":        channelDrain,
	"channel-try":          channelTry,
	"pipeline":             pipeline,
	"fan":                  fan,
	"pools":                pools,
	"map":                  mapArray,
	"semaphore-alone":      semaphoreAlone,
	"semaphore-crowd":      semaphoreCrowd,
	"context":              contextAlone,
	"context-tree":         contextTree,
	"select-two":           selectTwo,
	"select-four":          selectFour,

	"supervisor-one":             superviseOne,
	"supervisor-many":            superviseMany,
	"pubsub-1":                   pubsubOne,
	"pubsub-10":                  pubsubTen,
	"pubsub-1000":                pubsubThousand,
	"rate-limiting-granted":      rateLimitingGranted,
	"rate-limiting-refused":      rateLimitingRefused,
	"singleflight":               singleflight,
	"resource-pooling-alone":     resourcePoolingAlone,
	"resource-pooling-contended": resourcePoolingContended,
}

func main() {
	if os.Args[1] == "words" {
		goroutines, err := strconv.Atoi(os.Args[2])
		if err != nil {
			panic(err)
		}
		words(os.Args[3], goroutines)
		return
	}
	program := programs[os.Args[1]]
	if program == nil {
		panic("no program is called " + os.Args[1])
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		operations, err := strconv.Atoi(lines.Text())
		if err != nil {
			panic(err)
		}
		started := time.Now()
		program(operations)
		fmt.Println(time.Since(started).Nanoseconds())
	}
}

func check(actual, expected int) {
	if actual != expected {
		panic(fmt.Sprintf("a round gave %d, not %d", actual, expected))
	}
}

func sumTo(count int) int {
	return count * (count - 1) / 2
}
