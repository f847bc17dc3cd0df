// oauth4webapi: discovery, the grant, and its own judgement of the access token (RFC 9068) when there is an audience.
import * as oauth from 'oauth4webapi'
import { GRANT_TYPE, asked, grant } from './grant.mjs'

const insecure = { [oauth.allowInsecureRequests]: true }
const issuer = new URL(asked.issuer)
const found = await oauth.discoveryRequest(issuer, { algorithm: asked.algorithm, ...insecure })
const server = await oauth.processDiscoveryResponse(issuer, found)
const client = { client_id: asked.client_id }
const assertion = await grant(asked, server.issuer)
const response = await oauth.genericTokenEndpointRequest(
  server, client, oauth.None(), GRANT_TYPE, { assertion }, insecure,
)
const answer = await oauth.processGenericTokenEndpointResponse(server, client, response)
if (asked.resource) {
  const headers = { authorization: `Bearer ${answer.access_token}` }
  const request = new Request(asked.resource, { headers })
  answer.claims = await oauth.validateJwtAccessToken(server, request, asked.resource, insecure)
}
console.log(JSON.stringify({ issuer: server.issuer, ...answer }))
