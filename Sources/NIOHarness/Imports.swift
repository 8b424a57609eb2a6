import NIOBridge
