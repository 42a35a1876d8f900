//! REST in: TLS, limits, route, one reply.
