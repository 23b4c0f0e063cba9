/** The W3C Web Locks API, https://w3c.github.io/web-locks/, on an arena: `gov.locks`. */
export { Lock } from './web-locks/lock.js'
export { LockManager, makeLockManager } from './web-locks/lock-manager.js'
export type { LockInfo, LockManagerSnapshot } from './web-locks/snapshot.js'
export type { LockMode, LockOptions } from './web-locks/webidl.js'
