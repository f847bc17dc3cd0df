// openid-client: discovery by the issuer alone, then the grant. `algorithm` picks one of the two well-known places.
import * as client from 'openid-client'
import { GRANT_TYPE, asked, grant } from './grant.mjs'

const config = await client.discovery(new URL(asked.issuer), asked.client_id, undefined, client.None(), {
  algorithm: asked.algorithm,
  execute: [client.allowInsecureRequests],
})
const { issuer } = config.serverMetadata()
try {
  const answer = await client.genericGrantRequest(config, GRANT_TYPE, { assertion: await grant(asked, issuer) })
  console.log(JSON.stringify({ issuer, ...answer, expires_in: answer.expiresIn() }))
} catch (error) {
  if (!(error instanceof client.ResponseBodyError)) throw error
  console.log(JSON.stringify({ status: error.status, error: error.error, error_description: error.error_description }))
}
