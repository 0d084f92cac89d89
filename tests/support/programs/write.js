// http.request with request.write: chunked
const [method, url, key, file] = process.argv.slice(2), http = require("http"), fs = require("fs")
const headers = file ? { key, "Content-Type": "application/json" } : { key }
const request = http.request(url, { method, headers }, (answer) => {
  process.stdout.write(`${answer.statusCode}\n`)
  answer.pipe(process.stdout)
})
if (file) request.write(fs.readFileSync(file))
request.end()
