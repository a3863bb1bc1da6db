package main

import "sync"

const buffer = 128
const crowd = 1000

func channelBuffered(values int) {
	channel := make(chan int, buffer)
	go func() {
		for n := 0; n < values; n++ {
			channel <- n
		}
		close(channel)
	}()
	sum := 0
	for value := range channel {
		sum += value
	}
	check(sum, sumTo(values))
}

func channelUnbuffered(handOffs int) {
	there, back := make(chan int), make(chan int)
	rallies := (handOffs + 1) / 2
	go func() {
		for n := 0; n < rallies; n++ {
			back <- <-there + 1
		}
	}()
	value := 0
	for n := 0; n < rallies; n++ {
		there <- value
		value = <-back
	}
	check(value, rallies)
}

func channelFourToFour(values int) {
	channel := make(chan int, buffer)
	each := (values + 3) / 4
	sums := make(chan int, 4)
	for n := 0; n < 4; n++ {
		go func() {
			for n := 0; n < each; n++ {
				channel <- n
			}
		}()
		go func() {
			sum := 0
			for n := 0; n < each; n++ {
				sum += <-channel
			}
			sums <- sum
		}()
	}
	check(<-sums+<-sums+<-sums+<-sums, 4*sumTo(each))
}

func channelDrain(values int) {
	for left := values; left > 0; left -= crowd {
		channel := make(chan int)
		count := left
		if count > crowd {
			count = crowd
		}
		var senders sync.WaitGroup
		senders.Add(count)
		for n := 0; n < count; n++ {
			go func(n int) {
				channel <- n
				senders.Done()
			}(n)
		}
		sum := 0
		for n := 0; n < count; n++ {
			sum += <-channel
		}
		senders.Wait()
		close(channel)
		check(sum, sumTo(count))
	}
}

func channelTry(values int) {
	channel := make(chan int, 1)
	sum := 0
	for n := 0; n < values; n++ {
		select {
		case channel <- n:
		default:
		}
		select {
		case value := <-channel:
			sum += value
		default:
		}
	}
	check(sum, sumTo(values))
}
