import { createRequire } from 'node:module'
import * as forelock from 'forelock'

const gov = forelock.open()
const grant = await gov.lock('shared').acquire({ tier: 'interactive' })
console.log('token', typeof grant.token)

// The other copy of the package, in the same process: it must be the same arena.
const other = createRequire(import.meta.url)('forelock')
console.log('while held', other.open().lock('shared').tryAcquire())
grant.release()
console.log('names', Object.keys(forelock).sort().join() === Object.keys(other).sort().join())
