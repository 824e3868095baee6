using Callsheet.Core;
using UnityEngine;

namespace Callsheet.Samples
{
    /// <summary>Shows what an NPC says above its head, while it says it.</summary>
    [RequireComponent(typeof(CallsheetNpc))]
    public sealed class ChatBubble : MonoBehaviour
    {
        private const int CharsPerLine = 40;
        private TextMesh _text;
        private CallsheetNpc _npc;

        private void Awake()
        {
            var bubble = new GameObject("Bubble");
            bubble.transform.SetParent(transform);
            bubble.transform.position = transform.position + (Vector3.up * 1.4f);
            _text = bubble.AddComponent<TextMesh>();
            _text.characterSize = 0.12f;
            _text.anchor = TextAnchor.LowerCenter;
            _npc = GetComponent<CallsheetNpc>();
        }

        private void OnEnable()
        {
            _npc.ReplyStarted += Clear;
            _npc.TextAdded += Show;
            _npc.ReplyCompleted += Finish;
        }

        private void OnDisable()
        {
            _npc.ReplyStarted -= Clear;
            _npc.TextAdded -= Show;
            _npc.ReplyCompleted -= Finish;
        }

        private void Clear(Reply reply) => _text.text = "...";

        private void Show(Reply reply, string added) => _text.text = Wrap(reply.Text);

        private void Finish(Reply reply) =>
            _text.text = Wrap(reply.State == ReplyState.Failed ? "(" + reply.Error.Message + ")" : reply.Text);

        private static string Wrap(string text)
        {
            var wrapped = new System.Text.StringBuilder();
            int line = 0;
            foreach (string word in text.Split(' '))
            {
                if (line > 0 && line + word.Length > CharsPerLine)
                {
                    wrapped.Append('\n');
                    line = 0;
                }
                wrapped.Append(word).Append(' ');
                line += word.Length + 1;
            }
            return wrapped.ToString();
        }
    }
}
