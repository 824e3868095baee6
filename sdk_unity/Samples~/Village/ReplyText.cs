using System;
using Callsheet.Core;

namespace Callsheet.Samples
{
    /// <summary>Shows a reply while it comes in.</summary>
    internal static class ReplyText
    {
        /// <summary>Calls <paramref name="show"/> with the text so far each time it changes, and with why there is none.</summary>
        internal static void Follow(this Reply reply, Action<string> show)
        {
            reply.TextAdded += (r, added) => show(r.Text);
            reply.Completed += r => show(Final(r));
            if (reply.IsComplete)
            {
                show(Final(reply));
            }
        }

        private static string Final(Reply reply) => reply.State == ReplyState.Failed ? "(" + reply.Error.Message + ")" : reply.Text;
    }
}
