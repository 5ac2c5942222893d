// What nginx's own words cannot say of CloudFront: functions, keys, for how long an answer is kept, headers of answers.
// Debian's njs 0.7. site.js is written beside it (configuration.py).
import site from 'site.js';

function behaviour(r) {
    return site.behaviours[Number(r.variables.edge_behaviour)];
}

// The path that is looked for, behind the function of the behaviour; of an error page it is as it stands.
function uri(r) {
    var path = decoded(r.variables.edge_path);
    var run = site.functions[behaviour(r).function];
    if (run) {
        var event = {
            version: '1.0',
            context: {eventType: 'viewer-request'},
            viewer: {ip: r.remoteAddress},
            request: {method: r.method, uri: path, querystring: {}, headers: {}, cookies: {}}
        };
        path = run(event).uri;
    }
    return path === '/' && site.root ? '/' + site.root : path;
}

function decoded(path) {
    return path.split('?')[0];
}

function query(r) {
    var args = r.variables.args || '', wanted = behaviour(r);
    if (wanted.all_sent || wanted.key.query === 'all') {
        return args ? '?' + args : '';
    }
    return kept_query(args, wanted.key.query);
}

function kept_query(args, names) {
    if (names === 'none' || !args) {
        return '';
    }
    var found = args.split('&').filter(function(each) {
        return names === 'all' || names.indexOf(each.split('=')[0]) >= 0;
    });
    return found.length ? '?' + found.join('&') : '';
}

function encoding(r) {
    var accepted = r.headersIn['Accept-Encoding'] || '';
    return behaviour(r).key.gzip && accepted.indexOf('gzip') >= 0 ? 'gzip' : '';
}

// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-the-cache-key.html
function key(r) {
    var of = behaviour(r).key, path = r.variables.edge_uri;
    var headers = of.headers.map(function(name) { return r.headersIn[name] || ''; });
    var cookies = of.cookies ? r.headersIn.Cookie || '' : '';
    var query = kept_query(r.variables.args || '', of.query);
    return JSON.stringify([generation(r, path), path, query, headers, cookies, encoding(r)]);
}

// How often what is kept for a path was made invalid: another number is another key.
function generation(r, path) {
    var asked = decoded(r.variables.edge_path);
    return site.invalidations.filter(function(patterns) {
        return patterns.some(function(pattern) { return matches(pattern, asked) || matches(pattern, path); });
    }).length;
}

// A star stands at the end only.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html
function matches(pattern, path) {
    if (pattern[0] !== '/') {
        pattern = '/' + pattern;
    }
    var end = pattern.length - 1;
    return pattern[end] === '*' ? path.indexOf(pattern.slice(0, end)) === 0 : path === pattern;
}

// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html
function seconds(status, headers, times, errors) {
    var control = (headers['Cache-Control'] || '').toLowerCase();
    var said = null, shared = /s-maxage=(\d+)/.exec(control), own = /max-age=(\d+)/.exec(control);
    if (/no-store|no-cache|private/.test(control)) {
        said = 0;
    } else if (shared || own) {
        said = Number((shared || own)[1]);
    } else if (headers.Expires) {
        said = Math.max(0, Math.floor((Date.parse(headers.Expires) - Date.now()) / 1000)) || 0;
    }
    var least = times[0], usual = times[1], most = times[2];
    if (status >= 400) {
        var error = errors[String(status)];
        return error === undefined ? 0 : Math.max(error, Math.min(said || 0, most));
    }
    if (status !== 200 && status !== 203 && status !== 204 && status !== 206 && status !== 300 && status !== 301 &&
        status !== 302 && status !== 304 && status !== 307 && status !== 308) {
        return 0;
    }
    return Math.max(least, Math.min(said === null ? usual : said, most));
}

// Of an answer of the origin, before it is kept.
function arrived(r) {
    var of = behaviour(r);
    if (!of.all_sent && !of.key.cookies) {
        delete r.headersOut['Set-Cookie'];
    }
    var headers = {'Cache-Control': r.headersOut['Cache-Control'], Expires: r.headersOut.Expires};
    r.headersOut['X-Accel-Expires'] = String(seconds(r.status, headers, of.times, site.errors));
}

// Of an answer as the viewer gets it, kept or not.
function left(r) {
    var of = behaviour(r);
    of.removed.forEach(function(name) { delete r.headersOut[name]; });
    Object.keys(of.added).forEach(function(name) {
        if (of.added[name][1] || r.headersOut[name] === undefined) {
            r.headersOut[name] = of.added[name][0];
        }
    });
    var found = {HIT: 'Hit', STALE: 'Hit', UPDATING: 'Hit', REVALIDATED: 'RefreshHit'};
    var word = r.status >= 400 ? 'Error' : found[r.variables.upstream_cache_status] || 'Miss';
    r.headersOut['X-Cache'] = word + ' from cloudfront';
    r.headersOut.Via = '1.1 ' + site.id + '.cloudfront.net (CloudFront)';
}

export default {uri, query, encoding, key, arrived, left};
