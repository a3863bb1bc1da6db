package main

import "context"

const below = 100_000

func contextAlone(times int) {
	ended := 0
	for n := 0; n < times; n++ {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if ctx.Err() != nil {
			ended++
		}
	}
	check(ended, times)
}

func contextTree(operations int) {
	for left := operations; left > 0; left -= below {
		count := left
		if count > below {
			count = below
		}
		root, cancel := context.WithCancel(context.Background())
		all := make([]context.Context, count)
		cancels := make([]context.CancelFunc, count)
		for n := range all {
			all[n], cancels[n] = context.WithCancel(root)
		}
		cancel()
		ended := 0
		for _, ctx := range []context.Context{all[0], all[count/2], all[count-1]} {
			if ctx.Err() != nil {
				ended++
			}
		}
		check(ended, 3)
	}
}
