import AnyloopSubjects
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import Synchronization

/// Called by requests of two routes once they are under way.
final class SiteWhistle: Sendable {
    private let action = Mutex<(@Sendable () -> Void)?>(nil)

    /// From now on calls `action`.
    func blows(_ action: @escaping @Sendable () -> Void) {
        self.action.withLock { $0 = action }
    }

    fileprivate func blow() {
        action.withLock { $0 }?()
    }
}

/// The site's routes with bodies: collected, streamed in, streamed out, both at once.
enum SiteBodies {
    /// Adds them to `router`.
    static func add(to router: Router<SiteContext>) {
        router.post("collect") { request, _ in
            let body = try await request.body.collect(upTo: HummingbirdSite.uploadLimit)
            return "\(body.readableBytes)\n"
        }
        for method in [HTTPRequest.Method.post, .put] {
            router.on("upload", method: method) { request, _ in try await check(request.body, pause: nil) }
        }
        router.post("slow-upload") { request, _ in try await check(request.body, pause: .milliseconds(1)) }
        router.post("ignore") { _, _ in "ignored\n" }
        router.post("echo") { request, _ in
            Response(status: .ok, body: ResponseBody(asyncSequence: request.body))
        }
        router.get("bytes/{count}") { _, context in
            let count = try context.parameters.require("count", as: Int.self)
            return Response(status: .ok, body: ResponseBody(contentLength: count, generate(count)))
        }
        router.get("stream/{count}") { _, context in
            let count = try context.parameters.require("count", as: Int.self)
            return Response(status: .ok, body: ResponseBody(generate(count)))
        }
        router.get("buffer/{count}") { _, context in
            let count = try context.parameters.require("count", as: Int.self)
            return pattern.getSlice(at: 0, length: count) ?? ByteBuffer()
        }
        router.get("trailers") { _, _ in
            Response(
                status: .ok,
                body: ResponseBody { writer in
                    try await writer.write(ByteBuffer(string: "abc"))
                    try await writer.finish(HTTPField.Name("X-Sum").map { [$0: "294"] })
                })
        }
    }

    /// Adds the routes that blow `whistle` after the first part of their body.
    static func add(_ whistle: SiteWhistle, to router: Router<SiteContext>) {
        router.get("whistle/{count}") { _, context in
            let count = try context.parameters.require("count", as: Int.self)
            return Response(status: .ok, body: ResponseBody(contentLength: count, generate(count, whistle: whistle)))
        }
        router.post("whistle") { request, _ in try await check(request.body, pause: .milliseconds(1), whistle: whistle)
        }
    }

    /// What uploads are compared with, up to 4 MiB; made once, because a call for each byte takes a debug build long.
    private static let pattern = ByteBuffer(bytes: PatternBytes.bytes(count: 1 << 22))

    /// Compares what comes with `PatternBytes`; with `pause`, takes a rest after each part.
    private static func check(
        _ body: RequestBody, pause: Duration?, whistle: SiteWhistle? = nil
    ) async throws -> String {
        var count = 0
        var intact = true
        for try await part in body {
            if pattern.getSlice(at: count, length: part.readableBytes) != part { intact = false }
            count += part.readableBytes
            if count == part.readableBytes { whistle?.blow() }
            if let pause { try await Task.sleep(for: pause) }
        }
        return "\(count) \(intact ? "intact" : "damaged")\n"
    }

    /// A body of `PatternBytes`, made as the peer takes it.
    private static func generate(
        _ count: Int, whistle: SiteWhistle? = nil
    ) -> @Sendable (inout any ResponseBodyWriter) async throws -> Void {
        { writer in
            var offset = 0
            while offset < count {
                let size = min(16384, count - offset)
                try await writer.write(pattern.getSlice(at: offset, length: size) ?? ByteBuffer())
                if offset == 0 { whistle?.blow() }
                offset += size
            }
            try await writer.finish(nil)
        }
    }
}
