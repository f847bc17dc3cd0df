// @vtfk/maskinporten-auth, a municipality's own client: an enterprise certificate in a PFX file.
import maskinportenToken from '@vtfk/maskinporten-auth'
import { text } from 'node:stream/consumers'

try {
  console.log(JSON.stringify(await maskinportenToken(JSON.parse(await text(process.stdin)))))
} catch (error) {
  if (!error.response) throw error
  console.log(JSON.stringify({ status: error.response.status, ...error.response.data }))
}
