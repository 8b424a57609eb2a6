import AnyloopCore

extension Loop {
    /// Upgrades a live connection to TLS, as the client (asyncio: `start_tls`, rule 130).
    ///
    /// `completion` gets the new transport; `streamProtocol` then gets its callbacks, without `connectionMade`, and
    /// the protocol before it none any more. For STARTTLS: call it once the server's agreement was read, and before
    /// anything else is; with `unreadCount` above 0 it fails, since bytes behind the agreement may have been
    /// injected (RFC 3207 §6). A failure ends the connection.
    ///
    /// - Parameters:
    ///   - transport: the connection to upgrade.
    ///   - streamProtocol: who gets the callbacks from now on.
    ///   - tls: trust and settings.
    ///   - serverName: the name that the certificate has to be made for.
    ///   - unreadCount: bytes that came behind the agreement to upgrade and were not handled.
    ///   - tlsOptions: time-outs, and how the connection ends.
    @discardableResult
    public func startTLS(
        on transport: any StreamTransport, protocol streamProtocol: any StreamProtocol, tls context: TLSClientContext,
        serverName: String?, unreadCount: Int, tlsOptions: TLSConnectionOptions = TLSConnectionOptions(),
        completion: @escaping (Result<any StreamTransport, TransportError>) -> Void
    ) -> any Cancellable {
        let attempt = TLSAttempt(completion)
        do throws(TransportError) {
            let key = transport.peerName?.description
            upgrade(
                transport, try .client(context, name: serverName, sessionKey: key), streamProtocol, unreadCount,
                tlsOptions, attempt)
        } catch {
            callSoon { attempt.finish(.failure(error)) }
        }
        return attempt
    }

    /// Upgrades a live connection to TLS, as the server.
    ///
    /// For STARTTLS: write the agreement, then call this, with the number of bytes that the client sent behind its
    /// wish; above 0 it fails, since they may have been injected.
    @discardableResult
    public func startTLS(
        on transport: any StreamTransport, protocol streamProtocol: any StreamProtocol, tls context: TLSServerContext,
        unreadCount: Int, tlsOptions: TLSConnectionOptions = TLSConnectionOptions(),
        completion: @escaping (Result<any StreamTransport, TransportError>) -> Void
    ) -> any Cancellable {
        let attempt = TLSAttempt(completion)
        upgrade(transport, .server(context), streamProtocol, unreadCount, tlsOptions, attempt)
        return attempt
    }

    private func upgrade(
        _ transport: any StreamTransport, _ role: TLSConnection.Role, _ streamProtocol: any StreamProtocol,
        _ unreadCount: Int, _ options: TLSConnectionOptions, _ attempt: TLSAttempt
    ) {
        do throws(TransportError) { try options.check() } catch {
            callSoon { attempt.finish(.failure(error)) }
            return
        }
        guard !transport.isClosing else {
            callSoon { attempt.finish(.failure(.usage("the transport is closing: it cannot be upgraded"))) }
            return
        }
        let connection = TLSConnection(
            loop: self, role: role, options: options, announcesConnection: false, protocol: streamProtocol,
            onHandshake: { attempt.finish($0) })
        // What comes from now on is TLS's, which begins in the next turn (rule 130).
        transport.pauseReading()
        transport.streamProtocol = connection
        attempt.connected(transport)
        callSoon {
            guard unreadCount == 0 else {
                let text =
                    "\(unreadCount) bytes came in the clear behind the agreement to use TLS: the connection was ended"
                return connection.refuse(transport, .tls(TLSError(.surplusPlaintext, text)))
            }
            connection.connectionMade(transport)
            transport.resumeReading()
        }
    }
}

extension TLSConnection {
    /// Ends a connection that must not be upgraded.
    func refuse(_ transport: any StreamTransport, _ error: TransportError) {
        lower = transport
        end(error)
    }
}
