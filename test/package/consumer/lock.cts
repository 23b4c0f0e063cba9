import forelock = require('forelock')

const gov = forelock.open()
const grant: forelock.Grant | null = gov.lock('typed').tryAcquire()
const failed: typeof forelock.ForelockError = forelock.ForelockError
console.log('token', typeof grant?.token, failed.name)
