import Anyloop
import Foundation

// begin: hello-world
func helloWorld(on loop: any Loop) throws {
    loop.callSoon {
        print("Hello World")
        loop.stop()
    }
    // Blocking call interrupted by loop.stop()
    try loop.run()
    loop.closeLoop()
}
// end: hello-world

// begin: display-date
func displayDates(on loop: any Loop, every period: Duration = .seconds(1)) throws {
    func displayDate(until end: LoopInstant) {
        print(Date.now.description)
        if loop.now + period < end {
            loop.callLater(period) { displayDate(until: end) }
        } else {
            loop.stop()
        }
    }
    loop.callSoon { displayDate(until: loop.now + period * 5) }
    try loop.run()
    loop.closeLoop()
}
// end: display-date

// begin: watch-descriptor
func watchDescriptor(on loop: any DescriptorLoop) throws {
    // Create a pair of connected file descriptors
    let (near, far) = try socketPair()
    try loop.addReader(near) {
        let data = try receive(near, 100)
        print("Received: \(text(data))")
        // We are done: unregister the file descriptor
        try loop.removeReader(near)
        loop.stop()
    }
    // Simulate the reception of data from the network
    loop.callSoon { try send(far, "abc") }
    try loop.run()
    // We are done. Close sockets and the event loop.
    close(near)
    close(far)
    loop.closeLoop()
}
// end: watch-descriptor

// begin: signals
func waitForSignals(on loop: any SignalLoop) throws {
    for (name, number) in [("SIGINT", SIGINT), ("SIGTERM", SIGTERM)] {
        try loop.addSignalHandler(number) {
            print("got signal \(name): exit")
            loop.stop()
        }
    }
    print("Event loop running for 1 hour, press Ctrl+C to interrupt.")
    let hour = loop.callLater(.seconds(3600)) { loop.stop() }
    try loop.run()
    hour.cancel()
    loop.closeLoop()
}
// end: signals
