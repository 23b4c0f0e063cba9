import { type Grant, type Lock, open } from 'forelock'

const gov = open({ tiers: ['low', 'high'] })
const lock: Lock = gov.lock('typed')
const grant: Grant = await lock.acquire({ tier: 'high', waitTimeout: 100 })
const token: bigint = grant.token
const maybe: Grant | null = lock.tryAcquire()
// @ts-expect-error a lock has no number for a name
export const refused = () => gov.lock(1)
grant.release()
maybe?.release()
await gov.close()
console.log('token', typeof token)
