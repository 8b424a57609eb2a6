import NIOCore
import NIOPosix
import NIOTesting
import Testing

// begin: nio-battery-host
/// A group of one's own and the bootstraps that go with it.
struct OwnHost: EventLoopGroupHost {
    var name: String { "own" }

    func makeGroup(threads: Int) throws -> any EventLoopGroup {
        MultiThreadedEventLoopGroup(numberOfThreads: threads)
    }

    func serverBootstrap(
        group: any EventLoopGroup, childGroup: any EventLoopGroup
    ) -> any ServerBootstrapping {
        ServerBootstrap(group: group, childGroup: childGroup)
    }

    func clientBootstrap(group: any EventLoopGroup) -> any ClientBootstrapping {
        ClientBootstrap(group: group)
    }

    func datagramBootstrap(group: any EventLoopGroup) -> any DatagramBootstrapping {
        DatagramBootstrap(group: group)
    }
}
// end: nio-battery-host

/// The example of the page, as it stands there.
@Suite struct ExampleTests {
    // begin: nio-battery
    @Test func agreesWithNIO() async {
        for failure in await checkEventLoopGroup(NIOBattery.eventLoop, { OwnHost() }) { Issue.record(failure) }
    }
    // end: nio-battery

    // begin: nio-programs
    @Test func agreesWithNIOWhateverHappens() async {
        let report = await NIOPrograms.compare(seeds: 1...20, on: OwnHost())
        for difference in report.differences { Issue.record(difference) }
    }
    // end: nio-programs
}
