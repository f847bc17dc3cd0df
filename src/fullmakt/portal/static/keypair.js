// A key pair for a client of Maskinporten, made in the browser (maskinporten.md §8.6, the second way).
//
// The private half stays here: nothing is sent, stored or logged by this module. Send `publicJwk` to self-service
// (POST /api/v2/clients/{client_id}/key), and let the user save `privateJwk` or `privatePem`. A page that imports it
// needs `script-src 'self'` in its policy, and a secure context (https, or a loopback name), as WebCrypto does.

const RSA = "RSASSA-PKCS1-v1_5";
const HASH = "SHA-256";
const LEAST_BITS = 2048;
const MOST_BITS = 8192;

/**
 * Make an RSA key pair.
 *
 * @param {number} bits size of the modulus, 2048 at the least; 2048 when not given
 * @returns {Promise<{publicJwk: object, privateJwk: object, privatePem: string, kid: string}>}
 *   both halves as JWK with `use`, `alg` (RS256) and `kid` (the RFC 7638 thumbprint), and the private one as PKCS#8 PEM
 * @throws {RangeError} a size that self-service would not take
 * @throws {Error} the page is no secure context
 */
export async function generateKeyPair(bits = LEAST_BITS) {
  if (!Number.isInteger(bits) || bits < LEAST_BITS || bits > MOST_BITS) {
    throw new RangeError(`an RSA key has ${LEAST_BITS} to ${MOST_BITS} bits`);
  }
  if (!globalThis.crypto?.subtle) {
    throw new Error("keys can be made on a page served by https, or by a loopback name, alone");
  }
  const { publicKey, privateKey } = await crypto.subtle.generateKey(
    { name: RSA, modulusLength: bits, publicExponent: new Uint8Array([1, 0, 1]), hash: HASH },
    true,
    ["sign", "verify"],
  );
  const { n, e } = await crypto.subtle.exportKey("jwk", publicKey);
  const { d, p, q, dp, dq, qi } = await crypto.subtle.exportKey("jwk", privateKey);
  const kid = await thumbprint(n, e);
  const publicJwk = { kty: "RSA", use: "sig", alg: "RS256", kid, n, e };
  const privateJwk = { ...publicJwk, d, p, q, dp, dq, qi };
  return { publicJwk, privateJwk, privatePem: pem(await crypto.subtle.exportKey("pkcs8", privateKey)), kid };
}

// RFC 7638 §3: the required members in the order of their names, without white space.
async function thumbprint(n, e) {
  const members = new TextEncoder().encode(JSON.stringify({ e, kty: "RSA", n }));
  const digest = base64(await crypto.subtle.digest(HASH, members));
  return digest.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function pem(der) {
  const lines = base64(der).match(/.{1,64}/g).join("\n");
  return `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`;
}

function base64(bytes) {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)));
}
