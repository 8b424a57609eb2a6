import AnyloopSubjects
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// What the site's routes know of a request: the peer, and who has logged in.
struct SiteContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let peer: SocketAddress?
    var user: String?

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        peer = source.channel.remoteAddress
    }
}

/// A body in JSON, as it comes.
private struct Person: Decodable {
    let name: String
    let age: Int
}

/// A body in JSON, as it goes.
private struct Greeting: ResponseEncodable {
    let greeting: String
    let next: Int
}

/// The router that the scenarios speak of, with Hummingbird's own middleware and some of the site's.
struct HummingbirdSite {
    /// Bodies that are collected may have so many bytes; one more is 413.
    static let uploadLimit = 65536

    private struct OnPurpose: Error {}

    /// Its routes; files come from `files`, and requests that are under way say so to `whistle`.
    static func router(files: ScenarioFiles, whistle: SiteWhistle) -> Router<SiteContext> {
        let router = Router(context: SiteContext.self, options: .autoGenerateHeadEndpoints)
        router.addMiddleware {
            LogRequestsMiddleware(.trace)
            TagMiddleware()
            CORSMiddleware(allowOrigin: .originBased, allowMethods: [.get, .put])
            FileMiddleware<SiteContext, LocalFileSystem>(files.root)
        }
        addRoutes(router)
        addCoding(router)
        addErrors(router)
        router.group("members").add(middleware: LoginMiddleware()).get("name") { _, context in context.user ?? "nobody"
        }
        SiteBodies.add(to: router)
        SiteBodies.add(whistle, to: router)
        return router
    }

    private static func addRoutes(_ router: Router<SiteContext>) {
        router.get("hello") { _, _ in "hello, world\n" }
        router.get("people/{name}") { _, context in try context.parameters.require("name") }
        router.get("people/{name}/pets/{pet}") { _, context in
            "\(try context.parameters.require("name")) \(try context.parameters.require("pet", as: Int.self))"
        }
        router.get("people/{name}/pets/{pet}/endpoint") { _, context in context.endpointPath ?? "" }
        router.get("any/**") { _, context in context.parameters.getCatchAll().joined(separator: ",") }
        router.get("images/*.png") { request, _ in request.uri.path }
        router.get("query") { request, _ in
            "\(try request.uri.queryParameters.require("x")) \(request.uri.queryParameters.getAll("y").joined(separator: ","))"
        }
        router.get("peer") { _, context in context.peer?.ipAddress ?? context.peer?.pathname ?? "none" }
        router.get("redirect") { _, _ in Response.redirect(to: "/hello", type: .found) }
        router.get("cookie") { request, _ -> Response in
            var response = Response(
                status: .ok,
                body: ResponseBody(byteBuffer: ByteBuffer(string: "\(request.cookies["taste"]?.value ?? "none")")))
            response.setCookie(Cookie(name: "taste", value: "ginger", path: "/"))
            return response
        }
        router.get("no-content") { _, _ in HTTPResponse.Status.noContent }
        router.put("hello") { request, _ in
            // Read to its end: left alone, it has the request unanswered now and then (Documentation/nio.md).
            for try await _ in request.body {}
            return HTTPResponse.Status.created
        }
        router.delete("hello") { _, _ in EditedResponse(status: .accepted, response: "gone\n") }
    }

    private static func addCoding(_ router: Router<SiteContext>) {
        router.post("json") { request, context in
            let person = try await request.decode(as: Person.self, context: context)
            return Greeting(greeting: "Hello, \(person.name)", next: person.age + 1)
        }
        router.post("form") { request, context in
            let person = try await URLEncodedFormDecoder().decode(Person.self, from: request, context: context)
            return "\(person.name) \(person.age)"
        }
    }

    private static func addErrors(_ router: Router<SiteContext>) {
        router.get("error/{code}") { _, context -> String in
            throw HTTPError(HTTPResponse.Status(code: try context.parameters.require("code", as: Int.self)))
        }
        router.get("error/{code}/{message}") { _, context -> String in
            throw HTTPError(
                HTTPResponse.Status(code: try context.parameters.require("code", as: Int.self)),
                message: try context.parameters.require("message"))
        }
        router.get("throws") { _, _ -> String in throw OnPurpose() }
        router.get("throws-late") { _, _ in
            Response(
                status: .ok,
                body: ResponseBody(contentLength: 1_000_000) { writer in
                    try await writer.write(ByteBuffer(bytes: PatternBytes.bytes(count: 1000)))
                    throw OnPurpose()
                })
        }
    }
}

/// Middleware of the site's own: marks every response with the path of the request.
private struct TagMiddleware: RouterMiddleware {
    func handle(
        _ request: Request, context: SiteContext, next: (Request, SiteContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        if let tag = HTTPField.Name("X-Tag") { response.headers[tag] = request.uri.path }
        return response
    }
}

/// Lets in who gives the password, and tells the routes below who it is.
private struct LoginMiddleware: RouterMiddleware {
    func handle(
        _ request: Request, context: SiteContext, next: (Request, SiteContext) async throws -> Response
    ) async throws -> Response {
        // "ada:lovelace" in RFC 4648's Base64.
        guard request.headers[.authorization] == "Basic YWRhOmxvdmVsYWNl" else {
            throw HTTPError(.unauthorized, headers: [.wwwAuthenticate: "Basic realm=\"site\""])
        }
        var context = context
        context.user = "ada"
        return try await next(request, context)
    }
}
