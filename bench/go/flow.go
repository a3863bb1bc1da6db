package main

import (
	"runtime"
	"sync"
)

const stageBuffer = 16
const fanWorkers = 4
const mapWorkers = 8
const permits = 8
const tasks = 32

func numbers(values, buffer int) <-chan int {
	out := make(chan int, buffer)
	go func() {
		defer close(out)
		for n := 0; n < values; n++ {
			out <- n
		}
	}()
	return out
}

func stage(in <-chan int, step func(value int) (int, bool)) <-chan int {
	out := make(chan int, stageBuffer)
	go func() {
		defer close(out)
		for value := range in {
			if result, keep := step(value); keep {
				out <- result
			}
		}
	}()
	return out
}

func pipeline(values int) {
	added := stage(numbers(values, stageBuffer), func(n int) (int, bool) { return n + 1, true })
	even := stage(added, func(n int) (int, bool) { return n, n%2 == 0 })
	tripled := stage(even, func(n int) (int, bool) { return n * 3, true })
	results := []int{}
	for result := range tripled {
		results = append(results, result)
	}
	kept := values / 2
	check(len(results), kept)
	check(sumOf(results), 3*kept*(kept+1))
}

func fan(values int) {
	in, out := numbers(values, 0), make(chan int)
	var workers sync.WaitGroup
	workers.Add(fanWorkers)
	for n := 0; n < fanWorkers; n++ {
		go func() {
			defer workers.Done()
			for value := range in {
				out <- value + 1
			}
		}()
	}
	go func() {
		workers.Wait()
		close(out)
	}()
	results := []int{}
	for result := range out {
		results = append(results, result)
	}
	checkWorked(results, values)
}

type job struct {
	value  int
	result chan int
}

// Every job has a channel for its result, as every call of the others has a promise.
func pools(jobs int) {
	line := make(chan job, jobs)
	for n := 0; n < mapWorkers; n++ {
		go func() {
			for job := range line {
				job.result <- job.value + 1
			}
		}()
	}
	waiting := make([]chan int, jobs)
	for n := range waiting {
		waiting[n] = make(chan int, 1)
		line <- job{n, waiting[n]}
	}
	close(line)
	results := make([]int, jobs)
	for n := range waiting {
		results[n] = <-waiting[n]
	}
	checkWorked(results, jobs)
}

func mapArray(values int) {
	indexes := numbers(values, 0)
	results := make([]int, values)
	var workers sync.WaitGroup
	workers.Add(mapWorkers)
	for n := 0; n < mapWorkers; n++ {
		go func() {
			defer workers.Done()
			for index := range indexes {
				results[index] = index + 1
			}
		}()
	}
	workers.Wait()
	checkWorked(results, values)
}

func semaphoreAlone(times int) {
	gate := make(chan struct{}, 1)
	count := 0
	for n := 0; n < times; n++ {
		gate <- struct{}{}
		count++
		<-gate
	}
	check(count, times)
}

func semaphoreCrowd(times int) {
	gate := make(chan struct{}, permits)
	each := (times + tasks - 1) / tasks
	counts := make(chan int, tasks)
	for n := 0; n < tasks; n++ {
		go func() {
			count := 0
			for n := 0; n < each; n++ {
				gate <- struct{}{}
				runtime.Gosched()
				count++
				<-gate
			}
			counts <- count
		}()
	}
	sum := 0
	for n := 0; n < tasks; n++ {
		sum += <-counts
	}
	check(sum, each*tasks)
}

func checkWorked(results []int, values int) {
	check(len(results), values)
	check(sumOf(results), values*(values+1)/2)
}

func sumOf(numbers []int) int {
	sum := 0
	for _, n := range numbers {
		sum += n
	}
	return sum
}
