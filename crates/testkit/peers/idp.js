// An identity provider on npm `oidc-provider`, which is certified by the OpenID Foundation: tokens for client
// credentials at /token, and a resource at /base/resource that takes them. Arguments: port, certificate, key, the
// authority of clients' certificates, where the library is, and the secret of its clients.
const [port, certificate, key, authority, library, client_secret] = process.argv.slice(2);
const fs = require('fs'), https = require('https');

(async () => {
  const { default: Provider } = await import(library + '/lib/index.js');
  const client = (id, how, more) => ({
    client_id: id, token_endpoint_auth_method: how, grant_types: ['client_credentials'], redirect_uris: [],
    response_types: [], scope: 'orders', ...more,
  });
  const provider = new Provider(`https://localhost:${port}`, {
    clients: [
      client('erp+gate: 100%', 'client_secret_basic', { client_secret }),
      client('erp-post', 'client_secret_post', { client_secret }),
      client('erp-cert', 'tls_client_auth', { tls_client_auth_subject_dn: 'CN=erp' }),
    ],
    scopes: ['orders', 'stock'],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'tls_client_auth'],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true },
      mTLS: {
        enabled: true, tlsClientAuth: true,
        getCertificate: (ctx) => ctx.socket.getPeerX509Certificate && ctx.socket.getPeerX509Certificate(),
        certificateAuthorized: (ctx) => ctx.socket.authorized,
        certificateSubjectMatches: (ctx, property, expected) => {
          const shown = ctx.socket.getPeerCertificate();
          return property === 'tls_client_auth_subject_dn' && `CN=${shown.subject.CN}` === expected;
        },
      },
    },
    ttl: { ClientCredentials: 300 },
  });
  const answer = provider.callback();
  const tls = {
    cert: fs.readFileSync(certificate), key: fs.readFileSync(key), ca: fs.readFileSync(authority),
    requestCert: true, rejectUnauthorized: false,
  };
  // What a token that is shown is good for, as the provider itself knows it; `/base/resource/end` ends it there as well.
  const resource = async (request, response) => {
    const [, shown] = (request.headers.authorization || '').split(' ');
    const token = shown && (await provider.ClientCredentials.find(shown));
    if (!token || !token.isValid) {
      response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' });
      return response.end();
    }
    if (request.url === '/base/resource/end') await token.destroy();
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ client: token.clientId, scope: token.scope, id: token.jti }));
  };
  https
    .createServer(tls, (request, response) =>
      request.url.startsWith('/base/resource') ? resource(request, response) : answer(request, response))
    .listen(Number(port), '127.0.0.1');
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
