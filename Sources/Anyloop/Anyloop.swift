/// What an application needs: the contracts, the parsers, asyncio's async interface, the native and compat loops, the
/// agents.
@_exported import AnyloopAgents
@_exported import AnyloopAsync
@_exported import AnyloopCore
@_exported import AnyloopNativeLoop
@_exported import AnyloopTLS
@_exported import AnyloopWire
@_exported import HTTPTypes
