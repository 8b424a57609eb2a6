import Hummingbird
import HummingbirdCore
import Testing

@Test func reflect() throws {
    let builder = HTTPServerBuilder.http1()
    let value = Mirror(reflecting: builder).children.first?.value
    print(type(of: value), value.map { type(of: $0) } as Any)
    typealias Build = @Sendable (@escaping HTTPChannelHandler.Responder) throws -> any ServerChildChannel
    let build = try #require(value as? Build)
    print(try build { _, _, _ in })
    print(Mirror(reflecting: BindAddress.hostname("a", port: 3)).children.first as Any)
}
