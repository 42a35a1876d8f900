// A SOAP service on npm `soap`: the weather of a town, for users alone. Arguments: port, certificate, key, description.
const [port, certificate, key, description] = process.argv.slice(2);
const fs = require('fs'), https = require('https'), soap = require('soap');

const text = (value) => (value && value.$value !== undefined ? value.$value : value);
const forecast = (asked) => {
  if (text(asked.town) === 'Atlantis') {
    throw { Fault: { faultcode: 'soap:Client', faultstring: 'the town is under water' } };
  }
  return { day: [{ name: 'mon', degrees: '7.5' }, { name: 'tue', degrees: '-1' }] };
};
const server = https.createServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key) });
const service = soap.listen(server, '/weather', { Weather: { WeatherPort: { forecast } } }, fs.readFileSync(description, 'utf8'));
// The password as text or as digest: the library of the other side says which is right.
const { createHash } = require('crypto');
service.authenticate = (security) => {
  const token = security && security.UsernameToken;
  if (!token || text(token.Username) !== 'reader') return false;
  const given = text(token.Password);
  const digest = createHash('sha1')
    .update(Buffer.concat([Buffer.from(text(token.Nonce) || '', 'base64'), Buffer.from((text(token.Created) || '') + 'rain-4')]))
    .digest('base64');
  return given === 'rain-4' || given === digest;
};
server.listen(Number(port), '127.0.0.1');
