package main

func sender(each int) chan int {
	channel := make(chan int)
	go func() {
		for n := 0; n < each; n++ {
			channel <- n
		}
	}()
	return channel
}

func selectTwo(values int) {
	each := (values + 1) / 2
	a, b := sender(each), sender(each)
	sum := 0
	for n := 0; n < 2*each; n++ {
		select {
		case value := <-a:
			sum += value
		case value := <-b:
			sum += value
		}
	}
	check(sum, 2*sumTo(each))
}

func selectFour(values int) {
	each := (values + 3) / 4
	a, b, c, d := sender(each), sender(each), sender(each), sender(each)
	sum := 0
	for n := 0; n < 4*each; n++ {
		select {
		case value := <-a:
			sum += value
		case value := <-b:
			sum += value
		case value := <-c:
			sum += value
		case value := <-d:
			sum += value
		}
	}
	check(sum, 4*sumTo(each))
}
