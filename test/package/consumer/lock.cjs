const { open } = require('forelock')

async function main() {
  const gov = open({ name: process.argv[2] })
  const grant = await gov.lock('shared').acquire()
  console.log('token', typeof grant.token)
  console.log('while held', gov.lock('shared').tryAcquire())
  grant.release()
  await gov.close()
}

main()
