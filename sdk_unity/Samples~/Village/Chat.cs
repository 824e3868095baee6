using Callsheet.Core;
using UnityEngine;
using UnityEngine.UIElements;

namespace Callsheet.Samples
{
    /// <summary>A line to type: it is said to the villager next to the player, and the answer streams into the log.</summary>
    [RequireComponent(typeof(UIDocument))]
    public sealed class Chat : MonoBehaviour
    {
        private const int MaxLines = 100;
        private Label _partnerName;
        private ScrollView _log;
        private TextField _line;

        /// <summary>Who hears the next line; null if nobody is near.</summary>
        internal CallsheetNpc Partner { get; private set; }

        private void OnEnable()
        {
            VisualElement root = GetComponent<UIDocument>().rootVisualElement;
            _partnerName = root.Q<Label>("partner");
            _log = root.Q<ScrollView>("log");
            _line = root.Q<TextField>("line");
            root.Q<Button>("say").clicked += Say;
            _line.RegisterCallback<KeyDownEvent>(OnKeyDown, TrickleDown.TrickleDown);
            // Who types does not walk.
            _line.RegisterCallback<FocusInEvent>(e => SetWalking(false));
            _line.RegisterCallback<FocusOutEvent>(e => SetWalking(true));
        }

        private void Update()
        {
            CallsheetPlayer player = CallsheetClient.Instance.LocalPlayer;
            Partner = player == null ? null : Nearby.Nearest(player.transform.position, npc => npc.InteractionRadius);
            _partnerName.text = Partner == null ? "Walk up to somebody." : "You talk to " + Partner.name + ".";
        }

        private void OnKeyDown(KeyDownEvent pressed)
        {
            if (pressed.keyCode == KeyCode.Return || pressed.keyCode == KeyCode.KeypadEnter)
            {
                Say();
            }
        }

        private void Say()
        {
            string text = _line.value.Trim();
            if (Partner == null || text.Length == 0)
            {
                return;
            }
            _line.value = "";
            Add("You: " + text);
            string speaker = Partner.name + ": ";
            Label answer = Add(speaker + "...");
            Partner.Say(text, CallsheetClient.Instance.LocalPlayer).Follow(said =>
            {
                answer.text = speaker + said;
                _log.ScrollTo(answer);
            });
        }

        private Label Add(string text)
        {
            if (_log.childCount == MaxLines)
            {
                _log.RemoveAt(0);
            }
            // What a model writes is shown, not obeyed: <b> is three characters.
            var label = new Label(text) { enableRichText = false };
            label.AddToClassList("entry");
            _log.Add(label);
            return label;
        }

        private static void SetWalking(bool walks)
        {
            CallsheetPlayer player = CallsheetClient.Instance == null ? null : CallsheetClient.Instance.LocalPlayer;
            if (player != null && player.GetComponent<PlayerWalk>() != null)
            {
                player.GetComponent<PlayerWalk>().enabled = walks;
            }
        }
    }
}
