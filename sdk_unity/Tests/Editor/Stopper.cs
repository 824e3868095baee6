using System;
using Callsheet.Core;
using Callsheet.Wire;

namespace Callsheet.Tests
{
    /// <summary>A request handler that does something to the session when it is called.</summary>
    internal sealed class Stopper : IRequestHandler
    {
        internal Action OnSentCall;
        internal Action OnFailedCall;

        public void OnSent(long id) => OnSentCall?.Invoke();

        public void OnMessage(ServerMessage message)
        {
        }

        public void OnFailed(CallsheetError error) => OnFailedCall?.Invoke();
    }
}
