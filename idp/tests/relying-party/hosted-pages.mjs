// Walks the hosted sign-in and consent pages with fetch, as a browser without JavaScript would:
// cookies are kept, redirects followed one by one, forms submitted with their hidden fields.
import { parse } from 'parse5'

const MOST_STEPS = 12

/** Elements of the page in document order; `parent` leads back up. */
function elements(html) {
  const found = []
  const visit = (node, parent) => {
    if (node.tagName) found.push(node)
    node.parent = parent
    for (const child of node.childNodes ?? []) visit(child, node)
  }
  visit(parse(html), null)
  return found
}

const attribute = (element, name) => element?.attrs.find((one) => one.name === name)?.value

const text = (element) =>
  (element?.childNodes ?? []).map((node) => node.value ?? text(node)).join(' ').replace(/\s+/g, ' ').trim()

/** Cookies by name, for one host: all that the hosted pages need. */
export class CookieJar {
  #cookies = new Map()

  receive(response) {
    for (const line of response.headers.getSetCookie()) {
      const [pair, ...attributes] = line.split(';').map((part) => part.trim())
      const at = pair.indexOf('=')
      const expired = attributes.some((one) => /^max-age=(0|-\d+)$/i.test(one))
      if (expired) this.#cookies.delete(pair.slice(0, at))
      else this.#cookies.set(pair.slice(0, at), pair.slice(at + 1))
    }
  }

  header() {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  get names() {
    return [...this.#cookies.keys()]
  }
}

/** The request that pressing `button` makes, with `filled` typed into the form's inputs. */
function submission(all, button, pageUrl, filled) {
  let form = button.parent
  while (form && form.tagName !== 'form') form = form.parent
  if (!form) throw new Error(`${pageUrl.pathname}: button ${attribute(button, 'id')} stands in no form`)
  const inForm = (element) => {
    for (let up = element.parent; up; up = up.parent) if (up === form) return true
    return false
  }
  const fields = new URLSearchParams()
  for (const input of all.filter((element) => element.tagName === 'input' && inForm(element))) {
    const name = attribute(input, 'name')
    const kind = attribute(input, 'type') ?? 'text'
    if (!name || kind === 'submit') continue
    if ((kind === 'checkbox' || kind === 'radio') && attribute(input, 'checked') === undefined) continue
    fields.append(name, filled[name] ?? attribute(input, 'value') ?? '')
  }
  if (attribute(button, 'name')) fields.append(attribute(button, 'name'), attribute(button, 'value') ?? '')
  const action = new URL(attribute(form, 'action') || pageUrl.href, pageUrl)
  if ((attribute(form, 'method') ?? 'get').toLowerCase() !== 'post') throw new Error(`${pageUrl.pathname}: the form does not POST`)
  return { url: action, fields }
}

/**
 * Goes from the authorization URL to the redirect URI and gives the URL that the relying party's
 * callback would have been called with. `pages` lists the hosted pages seen on the way.
 */
export async function signIn({ authorizationUrl, redirectUri, username, password, jar = new CookieJar() }) {
  const pages = []
  let request = { url: new URL(authorizationUrl) }
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const headers = { accept: 'text/html', cookie: jar.header() }
    if (request.fields) headers.origin = request.url.origin
    const response = await fetch(request.url, {
      method: request.fields ? 'POST' : 'GET', body: request.fields, headers, redirect: 'manual',
    })
    jar.receive(response)
    const location = response.headers.get('location')
    if (location) {
      if (request.fields && response.status !== 303) throw new Error(`${request.url.pathname}: a POST was answered by ${response.status}, not 303`)
      await response.arrayBuffer()
      const url = new URL(location, request.url)
      if (url.href.startsWith(redirectUri)) return { callback: url, pages, jar }
      request = { url }
      continue
    }
    const html = await response.text()
    const all = elements(html)
    const byId = (id) => all.find((element) => attribute(element, 'id') === id)
    const page = byId('sign-in') ? 'sign-in' : byId('allow') ? 'consent' : undefined
    if (!page || pages.includes(page)) {
      const notice = all.find((element) => attribute(element, 'role') === 'alert') ?? all.find((element) => element.tagName === 'body')
      throw new Error(`${request.url.pathname} answered ${response.status}: ${text(notice).slice(0, 300)}`)
    }
    pages.push(page)
    request = submission(all, byId(page === 'sign-in' ? 'sign-in' : 'allow'), request.url, { username, password })
  }
  throw new Error(`no end after ${MOST_STEPS} steps`)
}
