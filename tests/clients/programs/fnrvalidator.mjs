// @navikt/fnrvalidator's verdict on each number of a JSON array: true for one that it takes.
import { idnr } from '@navikt/fnrvalidator'
import { text } from 'node:stream/consumers'

const numbers = JSON.parse(await text(process.stdin))
console.log(JSON.stringify(numbers.map((number) => idnr(number).status === 'valid')))
