// The same six requests in autocannon (npm): a token from the first answer goes into the headers of the others.
'use strict'
const autocannon = require('autocannon')

const authorized = path => ({
  path,
  setupRequest: (request, context) => ({ ...request, headers: { Authorization: 'Bearer ' + context.token } }),
  onResponse: (status, body, context) => { if (status !== 200) context.failed = true }
})

autocannon({
  url: process.argv[2],
  connections: 64,
  pipelining: 1,
  duration: Number(process.argv[3]),
  requests: [
    {
      method: 'POST',
      path: '/api/login',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ user: 'user1', password: 'demo' }),
      onResponse: (status, body, context) => { context.token = JSON.parse(body).token }
    },
    ...['/api/me', '/api/groups', '/api/groups/1/messages', '/api/dashboard', '/api/conversations'].map(authorized)
  ]
}, (error, result) => {
  if (error) throw error
  console.log(JSON.stringify({ requests: result.requests.total, seconds: result.duration, failed: result.non2xx + result.errors }))
})
