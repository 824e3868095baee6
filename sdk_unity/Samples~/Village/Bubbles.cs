using System.Collections.Generic;
using UnityEngine;
using UnityEngine.UIElements;

namespace Callsheet.Samples
{
    /// <summary>Shows above each villager what it said last, while it says it.</summary>
    [RequireComponent(typeof(UIDocument))]
    public sealed class Bubbles : MonoBehaviour
    {
        private const float HeightM = 1.6f;
        private readonly Dictionary<CallsheetNpc, Label> _bubbles = new Dictionary<CallsheetNpc, Label>();
        private VisualElement _layer;

        private void OnEnable()
        {
            _layer = GetComponent<UIDocument>().rootVisualElement.Q<VisualElement>("bubbles");
        }

        private void LateUpdate()
        {
            foreach (KeyValuePair<CallsheetNpc, Label> known in _bubbles)
            {
                bool isHere = known.Key != null && known.Key.isActiveAndEnabled;
                known.Value.style.display = isHere ? DisplayStyle.Flex : DisplayStyle.None;
            }
            foreach (CallsheetNpc npc in CallsheetClient.Instance.Npcs)
            {
                if (npc.Npc.LastReply == null || Camera.main == null)
                {
                    continue;
                }
                Label bubble = Of(npc);
                string text = npc.Npc.LastReply.Text;
                if (bubble.text != text)
                {
                    bubble.text = text;
                }
                Vector3 above = npc.transform.position + (Vector3.up * HeightM);
                Vector2 at = RuntimePanelUtils.CameraTransformWorldToPanel(_layer.panel, above, Camera.main);
                bubble.style.left = at.x;
                bubble.style.top = at.y;
            }
        }

        private Label Of(CallsheetNpc npc)
        {
            if (!_bubbles.TryGetValue(npc, out Label bubble))
            {
                bubble = new Label { enableRichText = false };
                bubble.AddToClassList("bubble");
                _layer.Add(bubble);
                _bubbles.Add(npc, bubble);
            }
            return bubble;
        }
    }
}
