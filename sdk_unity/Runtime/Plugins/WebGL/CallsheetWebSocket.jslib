// The browser's WebSocket for WebGLTransport.cs. Every name begins with CallsheetWebSocket, so that no
// other package's library clashes with it; nothing is called back, so no dynCall is needed.
mergeInto(LibraryManager.library, {
    $CallsheetWebSocketSockets: {
        next: 1,
        open: {},
        maxQueuedBytes: 16 * 1024 * 1024,
        maxUnsentBytes: 1024 * 1024,
        connecting: 0,
        opened: 1,
        closed: 2
    },

    CallsheetWebSocketOpen__deps: ['$CallsheetWebSocketSockets'],
    CallsheetWebSocketOpen: function (url, subprotocol) {
        var sockets = CallsheetWebSocketSockets;
        var entry = { socket: null, state: sockets.connecting, code: 1006, frames: [], queuedBytes: 0 };
        var id = sockets.next++;
        sockets.open[id] = entry;
        var encoder = new TextEncoder();
        var socket;
        try {
            socket = new WebSocket(UTF8ToString(url), UTF8ToString(subprotocol));
        } catch (error) {
            // A page served over https may not open ws:// to another machine; the browser says so itself.
            entry.state = sockets.closed;
            return id;
        }
        entry.socket = socket;
        socket.binaryType = 'arraybuffer';
        socket.onopen = function () { entry.state = sockets.opened; };
        socket.onclose = function (event) {
            if (entry.state !== sockets.closed) {
                entry.code = event.code;
                entry.state = sockets.closed;
            }
        };
        socket.onmessage = function (event) {
            if (entry.state === sockets.closed) {
                return;
            }
            var binary = typeof event.data !== 'string';
            var bytes = binary ? new Uint8Array(event.data) : encoder.encode(event.data);
            entry.frames.push({ bytes: bytes, kind: binary ? 1 : 0 });
            entry.queuedBytes += bytes.length;
            if (entry.queuedBytes > sockets.maxQueuedBytes) {
                // A browser cannot stop reading. What is reliable comes again when the session resumes.
                entry.code = 1006;
                entry.state = sockets.closed;
                socket.close();
            }
        };
        return id;
    },

    CallsheetWebSocketState__deps: ['$CallsheetWebSocketSockets'],
    CallsheetWebSocketState: function (id) {
        var entry = CallsheetWebSocketSockets.open[id];
        return entry ? entry.state : CallsheetWebSocketSockets.closed;
    },

    CallsheetWebSocketCloseCode__deps: ['$CallsheetWebSocketSockets'],
    CallsheetWebSocketCloseCode: function (id) {
        var entry = CallsheetWebSocketSockets.open[id];
        return entry ? entry.code : 1006;
    },

    CallsheetWebSocketCanSend__deps: ['$CallsheetWebSocketSockets'],
    CallsheetWebSocketCanSend: function (id) {
        var entry = CallsheetWebSocketSockets.open[id];
        return entry && entry.state === CallsheetWebSocketSockets.opened
            && entry.socket.bufferedAmount < CallsheetWebSocketSockets.maxUnsentBytes ? 1 : 0;
    },

    CallsheetWebSocketSend__deps: ['$CallsheetWebSocketSockets'],
    CallsheetWebSocketSend: function (id, buffer, count, kind) {
        var entry = CallsheetWebSocketSockets.open[id];
        if (!entry || entry.state !== CallsheetWebSocketSockets.opened) {
            return;
        }
        // A copy: the heap may be shared or grow while the browser still holds the bytes.
        var bytes = HEAPU8.slice(buffer, buffer + count);
        entry.socket.send(kind === 1 ? bytes : new TextDecoder().decode(bytes));
    },

    CallsheetWebSocketNextSize__deps: ['$CallsheetWebSocketSockets'],
    CallsheetWebSocketNextSize: function (id) {
        var entry = CallsheetWebSocketSockets.open[id];
        return entry && entry.frames.length > 0 ? entry.frames[0].bytes.length : -1;
    },

    CallsheetWebSocketReceive__deps: ['$CallsheetWebSocketSockets'],
    CallsheetWebSocketReceive: function (id, buffer) {
        var entry = CallsheetWebSocketSockets.open[id];
        var frame = entry.frames.shift();
        entry.queuedBytes -= frame.bytes.length;
        HEAPU8.set(frame.bytes, buffer);
        return frame.kind;
    },

    CallsheetWebSocketClose__deps: ['$CallsheetWebSocketSockets'],
    CallsheetWebSocketClose: function (id, code) {
        var entry = CallsheetWebSocketSockets.open[id];
        if (entry && entry.socket) {
            entry.socket.close(code);
        }
    },

    CallsheetWebSocketRelease__deps: ['$CallsheetWebSocketSockets'],
    CallsheetWebSocketRelease: function (id) {
        var entry = CallsheetWebSocketSockets.open[id];
        if (entry) {
            delete CallsheetWebSocketSockets.open[id];
            entry.state = CallsheetWebSocketSockets.closed;
            entry.frames = [];
            if (entry.socket) {
                entry.socket.close();
            }
        }
    }
});
