// A JWT grant as maskinporten.md §2 has it, signed with WebCrypto: what the OAuth libraries leave to their user.
import { randomUUID, webcrypto } from 'node:crypto'
import { text } from 'node:stream/consumers'

export const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

// The client and what it asks for, as the test hands them in.
export const asked = JSON.parse(await text(process.stdin))

const encode = (value) => Buffer.from(value).toString('base64url')

export async function grant({ client_id, scope, resource, jwk }, audience) {
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  const key = await webcrypto.subtle.importKey('jwk', { ...jwk, use: undefined }, algorithm, false, ['sign'])
  const now = Math.floor(Date.now() / 1000)
  const header = { alg: 'RS256', kid: jwk.kid }
  const claims = { iss: client_id, aud: audience, scope, resource, iat: now, exp: now + 100, jti: randomUUID() }
  const input = `${encode(JSON.stringify(header))}.${encode(JSON.stringify(claims))}`
  return `${input}.${encode(await webcrypto.subtle.sign(algorithm, key, Buffer.from(input)))}`
}
