#if UNITY_WEBGL
using System;
using System.Runtime.InteropServices;
using Callsheet.Core;

namespace Callsheet
{
    /// <summary>
    /// The transport of browsers: the page's own WebSocket, behind CallsheetWebSocket.jslib.
    ///
    /// JavaScript never calls into C#; everything is polled. So there are no function pointers to call
    /// back through, which is what breaks other packages when Unity's Emscripten changes.
    /// </summary>
    internal sealed class WebGLTransport : ITransport
    {
        private const int OpenState = 1;
        private const int ClosedState = 2;
        private const int BinaryFrame = 1;
        private const int SmallestBuffer = 64 * 1024;

        private int _socket;
        private byte[] _buffer = new byte[SmallestBuffer];
        private TransportState _state = TransportState.Opening;

        public TransportState State
        {
            get
            {
                if (_state != TransportState.Closed && _socket != 0)
                {
                    int state = CallsheetWebSocketState(_socket);
                    _state = state == OpenState ? TransportState.Open : state == ClosedState ? TransportState.Closed : TransportState.Opening;
                }
                return _state;
            }
        }

        public int CloseCode => CallsheetWebSocketCloseCode(_socket);

        public string CloseReason => "";

        public bool CanSend => State == TransportState.Open && CallsheetWebSocketCanSend(_socket) != 0;

        public void Open(Uri url) => _socket = CallsheetWebSocketOpen(url.AbsoluteUri, Wire.ProtocolInfo.Subprotocol);

        public void Send(FrameKind kind, byte[] buffer, int count) =>
            CallsheetWebSocketSend(_socket, buffer, count, kind == FrameKind.Binary ? BinaryFrame : 0);

        public bool TryReceive(out Frame frame)
        {
            int size = CallsheetWebSocketNextSize(_socket);
            if (size < 0)
            {
                frame = default(Frame);
                return false;
            }
            if (size > _buffer.Length)
            {
                _buffer = new byte[Math.Max(size, _buffer.Length * 2)];
            }
            int kind = CallsheetWebSocketReceive(_socket, _buffer);
            frame = new Frame(kind == BinaryFrame ? FrameKind.Binary : FrameKind.Text, new ArraySegment<byte>(_buffer, 0, size));
            return true;
        }

        public void Close(int code) => CallsheetWebSocketClose(_socket, code);

        public void Abort()
        {
            _state = TransportState.Closed;
            CallsheetWebSocketRelease(_socket);
        }

        [DllImport("__Internal")]
        private static extern int CallsheetWebSocketOpen(string url, string subprotocol);

        [DllImport("__Internal")]
        private static extern int CallsheetWebSocketState(int socket);

        [DllImport("__Internal")]
        private static extern int CallsheetWebSocketCloseCode(int socket);

        [DllImport("__Internal")]
        private static extern int CallsheetWebSocketCanSend(int socket);

        [DllImport("__Internal")]
        private static extern void CallsheetWebSocketSend(int socket, byte[] buffer, int count, int kind);

        [DllImport("__Internal")]
        private static extern int CallsheetWebSocketNextSize(int socket);

        [DllImport("__Internal")]
        private static extern int CallsheetWebSocketReceive(int socket, byte[] buffer);

        [DllImport("__Internal")]
        private static extern void CallsheetWebSocketClose(int socket, int code);

        [DllImport("__Internal")]
        private static extern void CallsheetWebSocketRelease(int socket);
    }
}
#endif
