package main

import (
	"errors"
	"runtime"
	"sync"
	"time"
)

const (
	resources     = 8
	poolCallers   = 32
	flightKeys    = 8
	flightCallers = 16
	children      = 100
)

type thing struct {
	uses int
	held bool
}

// A pool is a channel that holds what is free.
func resourcePooling(times, callers int) {
	each := (times + callers - 1) / callers
	pool := make(chan *thing, resources)
	for n := 0; n < resources; n++ {
		pool <- &thing{}
	}
	var done sync.WaitGroup
	done.Add(callers)
	for n := 0; n < callers; n++ {
		go func() {
			for n := 0; n < each; n++ {
				one := <-pool
				if one.held {
					panic("lent twice")
				}
				one.held = true
				one.uses++
				one.held = false
				pool <- one
			}
			done.Done()
		}()
	}
	done.Wait()
	uses := 0
	for n := 0; n < resources; n++ {
		uses += (<-pool).uses
	}
	check(uses, each*callers)
}

func resourcePoolingAlone(times int)     { resourcePooling(times, 1) }
func resourcePoolingContended(times int) { resourcePooling(times, poolCallers) }

type flight struct {
	landed  sync.WaitGroup
	callers int
	value   int
}

type flights struct {
	mutex sync.Mutex
	byKey map[int]*flight
}

func (all *flights) do(key int, work func(*flight) int) int {
	all.mutex.Lock()
	if there, ok := all.byKey[key]; ok {
		there.callers++
		all.mutex.Unlock()
		there.landed.Wait()
		return there.value
	}
	one := &flight{callers: 1}
	one.landed.Add(1)
	all.byKey[key] = one
	all.mutex.Unlock()
	one.value = work(one)
	all.mutex.Lock()
	delete(all.byKey, key)
	all.mutex.Unlock()
	one.landed.Done()
	return one.value
}

// The work lasts until all have asked, so that it is shared by as many as in Node.
func singleflight(calls int) {
	all := &flights{byKey: map[int]*flight{}}
	var mutex sync.Mutex
	sum, loads, expected, keys := 0, 0, 0, 0
	for left := calls; left > 0; left -= flightKeys * flightCallers {
		var done sync.WaitGroup
		done.Add(flightKeys * flightCallers)
		for n := 0; n < flightKeys; n++ {
			key := keys
			keys++
			expected += flightCallers * key
			load := func(one *flight) int {
				for waiting := true; waiting; {
					all.mutex.Lock()
					waiting = one.callers < flightCallers
					all.mutex.Unlock()
					runtime.Gosched()
				}
				mutex.Lock()
				loads++
				mutex.Unlock()
				return key
			}
			for caller := 0; caller < flightCallers; caller++ {
				go func() {
					value := all.do(key, load)
					mutex.Lock()
					sum += value
					mutex.Unlock()
					done.Done()
				}()
			}
		}
		done.Wait()
	}
	check(sum, expected)
	check(loads, keys)
}

type bus struct {
	mutex  sync.RWMutex
	topics map[string][]chan int
}

func (all *bus) publish(topic string, message int) {
	all.mutex.RLock()
	defer all.mutex.RUnlock()
	for _, subscriber := range all.topics[topic] {
		subscriber <- message
	}
}

// A subscriber is a channel, and a goroutine that reads it.
func pubsub(messages, subscribers int) {
	all := &bus{topics: map[string][]chan int{}}
	sums := make(chan int)
	for n := 0; n < subscribers; n++ {
		inbox := make(chan int, buffer)
		all.topics["number"] = append(all.topics["number"], inbox)
		go func() {
			sum := 0
			for message := range inbox {
				sum += message
			}
			sums <- sum
		}()
	}
	for n := 0; n < messages; n++ {
		all.publish("number", n)
	}
	for _, inbox := range all.topics["number"] {
		close(inbox)
	}
	for n := 0; n < subscribers; n++ {
		check(<-sums, sumTo(messages))
	}
}

func pubsubOne(messages int)      { pubsub(messages, 1) }
func pubsubTen(messages int)      { pubsub(messages, 10) }
func pubsubThousand(messages int) { pubsub(messages, 1000) }

// A token bucket, as in golang.org/x/time/rate.
type limiter struct {
	mutex     sync.Mutex
	perSecond float64
	burst     float64
	tokens    float64
	last      time.Time
}

func (one *limiter) allow() bool {
	one.mutex.Lock()
	defer one.mutex.Unlock()
	now := time.Now()
	one.tokens += now.Sub(one.last).Seconds() * one.perSecond
	if one.tokens > one.burst {
		one.tokens = one.burst
	}
	one.last = now
	if one.tokens < 1 {
		return false
	}
	one.tokens--
	return true
}

func rateLimiting(perSecond, burst float64, count int) {
	one := &limiter{perSecond: perSecond, burst: burst, tokens: burst, last: time.Now()}
	granted, expected := 0, count
	if float64(expected) > burst {
		expected = int(burst)
	}
	for n := 0; n < count; n++ {
		if one.allow() {
			granted++
		}
	}
	check(granted, expected)
}

func rateLimitingGranted(count int) { rateLimiting(1e9, 1e9, count) }
func rateLimitingRefused(count int) { rateLimiting(1e-6, 10, count) }

// A supervisor hears of every end and starts a new life, a goroutine, until a child has ended well.
func supervise(restarts, count int) {
	failures := (restarts + count - 1) / count
	type end struct {
		child int
		err   error
	}
	ends := make(chan end)
	starts := make([]int, count)
	start := func(child int) {
		go func() {
			starts[child]++
			var err error
			if starts[child] <= failures {
				err = errors.New("fails")
			}
			ends <- end{child, err}
		}()
	}
	for n := 0; n < count; n++ {
		start(n)
	}
	for running := count; running > 0; {
		if ended := <-ends; ended.err != nil {
			start(ended.child)
		} else {
			running--
		}
	}
	for _, started := range starts {
		check(started, failures+1)
	}
}

func superviseOne(restarts int)  { supervise(restarts, 1) }
func superviseMany(restarts int) { supervise(restarts, children) }
